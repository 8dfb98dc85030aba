"""Renditions: declared in a small TOML file, materialised to immutable Parquet, versioned, withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from access_control import changes, clock
from access_control.audit import Act
from access_control.data_package import DATA_FILE
from access_control.data_permissions import require_steward
from access_control.errors import Invalid, NotFound, Refused
from access_control.models import DatasetVersion, Project, Rendition, RenditionVersion, touch
from access_control.parquet_sink import settle
from access_control.rendition_parser import parse
from access_control.rendition_spec import RenditionSpec, check_against, declared_columns
from access_control.rendition_writer import Plan, StagedRendition, stage_rendition
from access_control.settings import Settings

Progress = Callable[[str, float], None]


def read_spec(spec: str | Path) -> tuple[RenditionSpec, str, str]:
    """The declaration, its text and what to call it in errors; `spec` is the text itself or the path of a file."""
    if isinstance(spec, str):
        return parse(spec), spec, "The rendition"
    try:
        text = spec.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{spec} cannot be read: {error}. Give the path of a TOML file in UTF-8.") from error
    return parse(text, spec.name), text, spec.name


def check_declaration(db: Session, spec: str | Path) -> tuple[RenditionSpec, list[dict[str, str]]]:
    """The declaration and the dictionary of what it would hold; raises Invalid with every fault, NotFound."""
    declared, _, file = read_spec(spec)
    dataset = changes.get_dataset(db, declared.dataset_id)
    columns = _newest(db, dataset.id).columns
    check_against(declared, columns, dataset.tier, file)
    return declared, declared_columns(declared, columns)


def check_may_publish(db: Session, dataset_id: str, actor: str) -> None:
    """Raises NotPermitted unless `actor` may publish renditions of the dataset; says who could."""
    require_steward(db, actor, changes.get_dataset(db, dataset_id).owner_id, f"publish renditions of {dataset_id}")


@dataclass(frozen=True)
class Publication:
    """A declaration that was found good, and the versions to write for it.

    With `rehearsal` no project has the rendition yet: it is written once, checked and thrown away, so that its faults
    show now and not at the first grant.
    """

    spec: RenditionSpec
    text: str
    plans: tuple[Plan, ...]
    rehearsal: bool


def prepare_publication(db: Session, settings: Settings, spec: str | Path, *, actor: str) -> Publication:
    """First step of publishing, reading only. Raises Invalid with every fault and its place, NotFound, NotPermitted,
    and Refused when a rendition that is keyed by project would be so no longer, or the other way round.
    """
    declared, text, _ = read_spec(spec)
    check_may_publish(db, declared.dataset_id, actor)
    check_declaration(db, spec)
    known = db.get(Rendition, declared.id)
    if known is not None and known.per_project != declared.per_project:
        raise Refused(
            f"{declared.id} cannot be changed to be keyed by project, or to be no longer: its published versions would "
            "stay in use. Declare it under another name and withdraw this one."
        )
    projects = projects_having(db, declared)
    plans = tuple(_plan(db, settings, declared, text, project) for project in projects or ["rehearsal"])
    return Publication(declared, text, plans, rehearsal=not projects)


def complete_publication(
    db: Session, settings: Settings, publication: Publication, staged: Sequence[StagedRendition], *, actor: str
) -> Rendition:
    """Last step of publishing: keeps the declaration and puts the staged versions in force."""
    spec, text = publication.spec, publication.text
    try:
        _check_still(publication, prepare_publication(db, settings, text, actor=actor))
        rendition = db.get(Rendition, spec.id, with_for_update=True)
        if rendition is None:
            rendition = Rendition(id=spec.id, dataset_id=spec.dataset_id, name=spec.name, per_project=spec.per_project)
            db.add(rendition)
        rendition.spec, rendition.title, rendition.tier = text, spec.title, spec.tier
        db.flush()
    except BaseException:
        for one in staged:
            one.discard()
        raise
    touch(db)
    for one in staged:
        if publication.rehearsal:
            one.discard()
        else:
            register_version(db, settings, one, actor=actor)
    if publication.rehearsal:
        details = {"version": None, "project": None, "tier": spec.tier, "declaration": text}
        changes.note(db, Act.RenditionPublished, actor=actor, subject=f"rendition:{spec.id}", details=details)
    return rendition


def _check_still(publication: Publication, now: Publication) -> None:
    if now.plans != publication.plans:
        raise Refused(f"{publication.spec.id} or its dataset changed while it was written. Publish it again.")


def publish_rendition(
    db: Session, settings: Settings, spec: str | Path, *, actor: str, progress: Progress | None = None
) -> Rendition:
    """Declares a rendition, or changes it, and materialises it from the newest version of its dataset.

    One that is keyed by project is materialised again for each project that has it already, and for a new project by
    `ensure_materialised`. Older versions stay: running sessions go on with theirs. Raises Invalid with the place in the
    specification and the remedy, Refused when a quality check fails (nothing is published), NotPermitted, NotFound.
    The transaction stays open while it is written; `prepare_publication`, `stage_all` and `complete_publication` are
    its steps, the second of which needs none.
    """
    publication = prepare_publication(db, settings, spec, actor=actor)
    staged = stage_all(settings, publication, progress)
    return complete_publication(db, settings, publication, staged, actor=actor)


def stage_all(settings: Settings, publication: Publication, progress: Progress | None = None) -> list[StagedRendition]:
    """Second step of publishing: writes and checks every version; all or none are left in the staging folders."""
    staged: list[StagedRendition] = []
    try:
        for plan in publication.plans:
            staged.append(stage_rendition(settings, plan, progress))
    except BaseException:
        for one in staged:
            one.discard()
        raise
    return staged


def projects_having(db: Session, spec: RenditionSpec) -> list[str | None]:
    """For whom a new version is made: [None] for everybody, or the projects that have one now."""
    if not spec.per_project:
        return [None]
    published = select(RenditionVersion.project_id).where(
        RenditionVersion.rendition_id == spec.id, RenditionVersion.state == "published"
    )
    having: list[str | None] = []
    having += sorted({project for project in db.scalars(published) if project is not None})
    return having


def plan_version(db: Session, settings: Settings, rendition_id: str, project_id: str | None) -> Plan:
    """Reads what a version is made from; raises NotFound, and Refused when project and rendition do not go together."""
    rendition = _rendition(db, rendition_id)
    if rendition.per_project and project_id is None:
        raise Refused(f"{rendition_id} is keyed by project: say for which project it is to be written.")
    if project_id is not None and not rendition.per_project:
        raise Refused(f"{rendition_id} is the same for all projects; it is not written for {project_id} alone.")
    if project_id is not None and db.get(Project, project_id) is None:
        raise NotFound(f"There is no project {project_id!r}.")
    spec = parse(rendition.spec, rendition.id)
    return _plan(db, settings, spec, rendition.spec, project_id)


def _plan(db: Session, settings: Settings, spec: RenditionSpec, text: str, project_id: str | None) -> Plan:
    dataset, version = changes.get_dataset(db, spec.dataset_id), _newest(db, spec.dataset_id)
    check_against(spec, version.columns, dataset.tier, spec.id)
    return Plan(
        spec=spec, spec_text=text, project_id=project_id, dataset_version=version.number,
        source=settings.data_root / version.path / DATA_FILE, source_sha256=version.sha256,
        columns=tuple(version.columns), dataset_tier=dataset.tier, owner=dataset.owner_id, licence=dataset.licence,
        citation=dataset.citation,
    )  # fmt: skip


def register_version(db: Session, settings: Settings, staged: StagedRendition, *, actor: str) -> RenditionVersion:
    """Puts a staged version in place and in force; a rollback takes it away again."""
    plan = staged.plan
    try:
        rendition = _unchanged(db, plan)
        of_this = RenditionVersion.rendition_id == rendition.id, _same_project(plan.project_id)
        number = (db.scalar(select(func.max(RenditionVersion.number)).where(*of_this)) or 0) + 1
        suffix = f"-{plan.project_id}" if plan.project_id is not None else ""
        final = settings.renditions / rendition.dataset_id / rendition.name / f"{number}{suffix}"
        settle(db, staged.folder, final)
    except BaseException:
        staged.discard()
        raise
    version = RenditionVersion(
        rendition_id=rendition.id, dataset_version=plan.dataset_version, project_id=plan.project_id, number=number,
        path=str(final.relative_to(settings.data_root)), files=staged.files, rows=staged.rows,
        columns=list(staged.columns), quality=list(staged.quality), uniqueness=staged.uniqueness, state="published",
        published_by=actor, published_at=clock.now(),
    )  # fmt: skip
    db.add(version)
    db.flush()
    details = {
        "version": number, "project": plan.project_id, "dataset_version": plan.dataset_version, "tier": rendition.tier,
        "rows": staged.rows, "files": staged.files,
    }  # fmt: skip
    changes.note(db, Act.RenditionPublished, actor=actor, subject=f"rendition:{rendition.id}", details=details)
    touch(db)
    return version


def _unchanged(db: Session, plan: Plan) -> Rendition:
    rendition = _rendition(db, plan.spec.id, lock=True)
    if rendition.spec != plan.spec_text:
        raise Refused(f"{rendition.id} was declared anew while this version was written. Publish it again.")
    return rendition


def materialise(
    db: Session,
    settings: Settings,
    rendition_id: str,
    project_id: str | None = None,
    *,
    actor: str = "<enclave>",
    progress: Progress | None = None,
) -> RenditionVersion:
    """Writes a new version; `project_id` is needed exactly when the rendition is keyed by project.

    The transaction stays open while it is written. For large data call `plan_version`, `stage_rendition` and
    `register_version`, the second outside any transaction.
    """
    plan = plan_version(db, settings, rendition_id, project_id)
    return register_version(db, settings, stage_rendition(settings, plan, progress), actor=actor)


def ensure_materialised(
    db: Session, settings: Settings, rendition_id: str, project_id: str, *, actor: str = "<enclave>"
) -> RenditionVersion:
    """The version that this project would mount, written now when there is none. Call it when access is granted."""
    rendition = _rendition(db, rendition_id, lock=True)
    version = current_version(db, rendition_id, project_id)
    if version is not None:
        return version
    return materialise(db, settings, rendition_id, project_id if rendition.per_project else None, actor=actor)


def current_version(db: Session, rendition_id: str, project_id: str | None) -> RenditionVersion | None:
    """The newest published version for that project (for everybody, when the rendition is not keyed by project)."""
    rendition = _rendition(db, rendition_id)
    wanted = project_id if rendition.per_project else None
    return db.scalars(
        select(RenditionVersion)
        .where(
            RenditionVersion.rendition_id == rendition_id,
            RenditionVersion.state == "published",
            _same_project(wanted),
        )
        .order_by(RenditionVersion.number.desc())
        .limit(1)
    ).first()


def withdraw_rendition_version(
    db: Session,
    rendition_id: str,
    number: int,
    *,
    actor: str,
    reason: str,
    project_id: str | None = None,
) -> RenditionVersion:
    """Takes a published version out of use: sessions that mount it are decided again and stop. Files stay."""
    rendition = _rendition(db, rendition_id)
    owner = changes.get_dataset(db, rendition.dataset_id).owner_id
    require_steward(db, actor, owner, f"withdraw versions of {rendition_id}")
    why = changes.said(reason)
    version = db.scalars(
        select(RenditionVersion).where(
            RenditionVersion.rendition_id == rendition_id,
            RenditionVersion.number == number,
            _same_project(project_id),
        )
    ).one_or_none()
    if version is None:
        whose = f" for project {project_id}" if project_id is not None else ""
        raise NotFound(f"{rendition_id} has no version {number}{whose}.")
    if version.state == "withdrawn":
        raise Refused(f"Version {number} of {rendition_id} is withdrawn already.")
    details = {"version": number, "project": project_id, "before": version.state, "reason": why}
    version.state = "withdrawn"
    changes.note(db, Act.RenditionWithdrawn, actor=actor, subject=f"rendition:{rendition_id}", details=details)
    touch(db)
    return version


def _same_project(project_id: str | None) -> ColumnElement[bool]:
    column = RenditionVersion.project_id
    return column.is_(None) if project_id is None else column == project_id


def _rendition(db: Session, rendition_id: str, *, lock: bool = False) -> Rendition:
    rendition = db.get(Rendition, rendition_id, with_for_update=True if lock else None)
    if rendition is None:
        raise NotFound(
            f"There is no rendition {rendition_id!r}. A steward publishes one: enclave rendition publish FILE"
        )
    return rendition


def _newest(db: Session, dataset_id: str) -> DatasetVersion:
    version = db.scalars(
        select(DatasetVersion)
        .where(DatasetVersion.dataset_id == dataset_id, DatasetVersion.deleted_at.is_(None))
        .order_by(DatasetVersion.number.desc())
        .limit(1)
    ).first()
    if version is None:
        raise NotFound(f"Dataset {dataset_id!r} has no version. Add a file to it: enclave dataset add FILE")
    return version
