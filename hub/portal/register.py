"""The public register: which projects work here with which data, for anybody to read.

It names organisations and never a person, and counts below ten are not told. Proposed projects aren't in it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from access_control.models import Agreement, Dataset, Organisation, Person, Project, Role, SessionRecord
from access_control.terms import label
from egress_review.models import Release, ReleaseRequest, SeededRequest

SHOWN = ("active", "suspended", "closed")
IN_FORCE_ONCE = ("active", "suspended", "expired")
SMALLEST = 10


@dataclass(frozen=True)
class DatasetUsed:
    """A dataset that a project was granted, or had mounted."""

    title: str
    owner: str


@dataclass(frozen=True)
class RegisterEntry:
    """A project as the public sees it; `releases` is a number, or "fewer than 10"."""

    title: str
    state: str
    start: date
    until: date
    purposes: tuple[str, ...]
    organisations: tuple[str, ...]  # the homes of its members
    datasets: tuple[DatasetUsed, ...]
    releases: str


def count_said(count: int) -> str:
    """A count as the register tells it."""
    return str(count) if count >= SMALLEST else f"fewer than {SMALLEST}"


def read_register(db: Session) -> list[RegisterEntry]:
    """Every project that was ever active, by title."""
    homes, used, released = _homes(db), _datasets(db), _releases(db)
    return [
        RegisterEntry(
            title=row.title,
            state=row.state,
            start=row.start,
            until=row.until,
            purposes=tuple(label(term) for term in row.purposes),
            organisations=tuple(sorted(homes[row.id])),
            datasets=tuple(sorted(used[row.id], key=lambda each: (each.title, each.owner))),
            releases=count_said(released.get(row.id, 0)),
        )
        for row in db.scalars(select(Project).where(Project.state.in_(SHOWN)).order_by(Project.title, Project.id))
    ]


def _homes(db: Session) -> defaultdict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    rows = db.execute(
        select(Role.domain, Organisation.title)
        .join(Person, Person.id == Role.person_id)
        .join(Organisation, Organisation.id == Person.affiliation)
        .where(Role.role.in_(("researcher", "lead")))
        .distinct()
    )
    for domain, title in rows:
        found[domain.removeprefix("project:")].add(title)
    return found


def _datasets(db: Session) -> defaultdict[str, set[DatasetUsed]]:
    known = {
        id_: DatasetUsed(title, owner)
        for id_, title, owner in db.execute(
            select(Dataset.id, Dataset.title, Organisation.title).join(
                Organisation, Organisation.id == Dataset.owner_id
            )
        )
    }
    ids: defaultdict[str, set[str]] = defaultdict(set)
    granted = select(Agreement.project_id, Agreement.renditions).where(Agreement.state.in_(IN_FORCE_ONCE))
    for project, renditions in db.execute(granted):
        ids[project] |= {rendition.partition("/")[0] for rendition in renditions}
    for project, mounts in db.execute(select(SessionRecord.project_id, SessionRecord.mounts)):
        ids[project] |= {str(mount.get("dataset_id")) for mount in mounts}
    found: defaultdict[str, set[DatasetUsed]] = defaultdict(set)
    for project, datasets in ids.items():
        found[project] = {known[id_] for id_ in datasets if id_ in known}
    return found


def _releases(db: Session) -> dict[str, int]:
    rows = db.execute(
        select(ReleaseRequest.project_id, func.count(Release.id))
        .join(Release, Release.request_id == ReleaseRequest.id)
        .where(
            ReleaseRequest.direction == "out",
            Release.revoked_at.is_(None),
            ReleaseRequest.id.not_in(select(SeededRequest.request_id)),
        )
        .group_by(ReleaseRequest.project_id)
    )
    return {row[0]: row[1] for row in rows}
