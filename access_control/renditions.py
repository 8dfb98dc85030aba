"""Renditions: declared in a small TOML file, materialised to immutable Parquet, versioned, withdrawn."""

from __future__ import annotations

from collections.abc import Callable
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
from access_control.rendition_spec import RenditionSpec, check_against
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


def declare(db: Session, spec: str | Path, *, actor: str) -> Rendition:
    """Checks a declaration against its dataset and keeps it; nothing is materialised yet.

    Raises Invalid with every fault and its place, NotFound for the dataset, NotPermitted, and Refused when the change
    would turn a rendition that is keyed by project into one that is not, or the other way round.
    """
    declared, text, file = read_spec(spec)
    dataset = changes.get_dataset(db, declared.dataset_id)
    require_steward(db, actor, dataset.owner_id, f"publish renditions of {dataset.id}")
    check_against(declared, _newest(db, dataset.id).columns, dataset.tier, file)
    rendition = db.get(Rendition, declared.id, with_for_update=True)
    if rendition is None:
        rendition = Rendition(id=declared.id, dataset_id=dataset.id, name=declared.name, tier=declared.tier, spec=text,
                              title=declared.title, per_project=declared.per_project)  # fmt: skip
        db.add(rendition)
    else:
        if rendition.per_project != declared.per_project:
            raise Refused(
                f"{declared.id} cannot be changed to be keyed by project, or to be no longer: its published versions "
                "would stay in use. Declare it under another name and withdraw this one."
            )
        rendition.spec, rendition.title, rendition.tier = text, declared.title, declared.tier
    db.flush()
    touch(db)
    return rendition


def publish_rendition(
    db: Session, settings: Settings, spec: str | Path, *, actor: str, progress: Progress | None = None
) -> Rendition:
    """Declares a rendition, or changes it, and materialises it from the newest version of its dataset.

    One that is keyed by project is materialised again for each project that has it already, and for a new project by
    `ensure_materialised`. Older versions stay: running sessions go on with theirs. Raises Invalid with the place in the
    specification and the remedy, Refused when a quality check fails (nothing is published), NotPermitted, NotFound.
    """
    rendition = declare(db, spec, actor=actor)
    having = projects_having(db, rendition)
    if not having:
        rehearse(db, settings, rendition, progress=progress)
    for project_id in having:
        materialise(db, settings, rendition.id, project_id, actor=actor, progress=progress)
    return rendition


def rehearse(db: Session, settings: Settings, rendition: Rendition, *, progress: Progress | None = None) -> None:
    """Writes a rendition that no project has yet, checks it and throws it away: its faults show now, not at a grant."""
    stage_rendition(settings, _plan(db, settings, rendition, "rehearsal"), progress).discard()


def projects_having(db: Session, rendition: Rendition) -> list[str | None]:
    """For whom a new version is made: [None] for everybody, or the projects that have one now."""
    if not rendition.per_project:
        return [None]
    published = select(RenditionVersion.project_id).where(
        RenditionVersion.rendition_id == rendition.id, RenditionVersion.state == "published"
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
    return _plan(db, settings, rendition, project_id)


def _plan(db: Session, settings: Settings, rendition: Rendition, project_id: str | None) -> Plan:
    dataset, version = changes.get_dataset(db, rendition.dataset_id), _newest(db, rendition.dataset_id)
    spec = parse(rendition.spec, rendition.id)
    check_against(spec, version.columns, dataset.tier, rendition.id)
    return Plan(
        spec=spec, spec_text=rendition.spec, project_id=project_id, dataset_version=version.number,
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
        .where(DatasetVersion.dataset_id == dataset_id)
        .order_by(DatasetVersion.number.desc())
        .limit(1)
    ).first()
    if version is None:
        raise NotFound(f"Dataset {dataset_id!r} has no version. Add a file to it: enclave dataset add FILE")
    return version
