"""What a request rests on: the policy in force, what its author's sessions mounted, and whether that still stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, or_, select
from sqlalchemy.orm import Session

from access_control import clock, models
from access_control.errors import AccessError
from access_control.keeper import PolicyKeeper
from access_control.settings import Settings
from access_control.snapshot import Snapshot
from egress_review.errors import Refused
from egress_review.models import ReleaseRequest

_keepers: WeakKeyDictionary[Engine, PolicyKeeper] = WeakKeyDictionary()


def policy(db: Session, settings: Settings) -> Snapshot:
    """The policy in force, as last committed; raises Refused when it cannot be read: then nothing is allowed."""
    engine = db.get_bind().engine
    keeper = _keepers.get(engine)
    if keeper is None:
        keeper = _keepers.setdefault(engine, PolicyKeeper(engine, settings.data_root))
    try:
        return keeper.current()
    except AccessError as error:
        raise Refused(f"The policy cannot be read, so nothing is decided: {error}") from error


@dataclass(frozen=True)
class Basis:
    """What decides how a request is reviewed; the fields are those of ReleaseRequest."""

    mounts: list[dict[str, Any]]
    tier: int
    owners: list[str]
    reviewers: int
    profile: str


def basis_of(db: Session, settings: Settings, request: ReleaseRequest) -> Basis:
    """What the author's sessions in the project ever mounted, and the reviewers that it asks for.

    The strictest tier mounted decides, and each agreement may ask for more people. Where nothing was ever mounted the
    project's tier decides. The thresholds are those of the strictest profile among the datasets.
    """
    project = db.get(models.Project, request.project_id)
    if project is None:
        raise Refused(f"The project {request.project_id} is not there any more.")
    mounts = _mounted(db, request.author_id, request.project_id)
    tier = max((int(mount["tier"]) for mount in mounts), default=project.tier)
    agreements = {mount["agreement"] for mount in mounts if mount["agreement"]}
    asked = [
        row.reviewers for row in (db.get(models.Agreement, each) for each in sorted(agreements)) if row is not None
    ]
    datasets = [db.get(models.Dataset, each) for each in sorted({mount["dataset"] for mount in mounts})]
    return Basis(
        mounts=mounts,
        tier=tier,
        owners=sorted({mount["owner"] for mount in mounts}),
        reviewers=max([settings.tiers[tier].reviewers, *asked]),
        profile=strictest_profile(settings, [dataset.egress_profile for dataset in datasets if dataset is not None]),
    )


def strictest_profile(settings: Settings, names: Iterable[str]) -> str:
    """The profile with the highest threshold among `names`; a name that the settings don't have counts as `default`."""
    known = [name if name in settings.egress.profiles else "default" for name in names] or ["default"]
    profiles = settings.egress.profiles
    return max(
        sorted(known), key=lambda name: (profiles[name].threshold, profiles[name].round_to, -profiles[name].max_rows)
    )


def _mounted(db: Session, author: str, project: str) -> list[dict[str, Any]]:
    """One entry a rendition version that any session of the author in the project was given."""
    rows = db.scalars(
        select(models.SessionRecord).where(
            models.SessionRecord.person_id == author, models.SessionRecord.project_id == project
        )
    )
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for row in rows:
        for mount in row.mounts:
            dataset = db.get(models.Dataset, mount["dataset_id"])
            if dataset is None:
                raise Refused(f"The dataset {mount['dataset_id']} was mounted and is not in the catalogue any more.")
            rendition, version = str(mount["rendition"]), int(mount["version"])
            published = db.scalar(
                select(models.RenditionVersion).where(
                    models.RenditionVersion.rendition_id == rendition,
                    models.RenditionVersion.number == version,
                    or_(models.RenditionVersion.project_id.is_(None), models.RenditionVersion.project_id == project),
                )
            )
            found[rendition, version] = {
                "rendition": rendition,
                "version": version,
                "dataset": dataset.id,
                "dataset_version": published.dataset_version if published else version,
                "owner": dataset.owner_id,
                "tier": int(mount["tier"]),
                "agreement": mount.get("agreement_id"),
            }
    return [found[key] for key in sorted(found)]


def check_author(db: Session, settings: Settings, request: ReleaseRequest) -> None:
    """Raises Refused unless the author may still open a session in the project today: member, in good standing."""
    decision = policy(db, settings).may(request.author_id, "open", clock.today(), project=request.project_id)
    if not decision.allowed:
        raise Refused(f"{request.author_id} may not work in {request.project_id} any more: {decision.reason}")


def check_grants(db: Session, settings: Settings, request: ReleaseRequest) -> None:
    """Raises Refused unless the author may today see every rendition that the request rests on.

    That holds the agreement, the dataset, the author's clearance and training at once: all are conditions of a mount.
    """
    in_force, today = policy(db, settings), clock.today()
    for rendition in sorted({str(mount["rendition"]) for mount in request.mounts}):
        decision = in_force.decide(request.author_id, request.project_id, rendition, "mount", today)
        if not decision.allowed:
            raise Refused(f"This rests on {rendition}, which {request.author_id} may not see today: {decision.reason}")
