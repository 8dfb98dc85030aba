"""What was: who could see a dataset at a time, who did, and how the policy changed.

For the past, the facts are copied into a database in memory and wound back by the audit log, the rows of the policy
version of that time are put beside them, and the same snapshot decides that decides today.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import String, cast, create_engine, delete, insert, select, update
from sqlalchemy.orm import Session

from access_control import changes, clock
from access_control.audit import Act, AuditEntry
from access_control.database import Base
from access_control.errors import Invalid
from access_control.models import (
    Agreement,
    ChangeCount,
    Clearance,
    Dataset,
    DatasetVersion,
    Organisation,
    Person,
    PolicyRow,
    PolicyVersion,
    Project,
    Rendition,
    RenditionVersion,
    Role,
    SessionRecord,
    Training,
)
from access_control.policy_changes import policy_row
from access_control.policy_versions import get_version, parse_rows
from access_control.snapshot import Snapshot, load_snapshot

_FACTS: tuple[type[Base], ...] = (
    Organisation, Person, Clearance, Training, Role, Project, Dataset, DatasetVersion, Rendition, RenditionVersion,
    Agreement,
)  # fmt: skip
_TABLES = {kind.__tablename__: kind for kind in _FACTS}


@dataclass(frozen=True)
class Could:
    """A person who could mount a rendition in a project at a time, and the row that allowed it."""

    person: str
    project: str
    rendition: str
    row_id: str
    agreement_id: str | None


@dataclass(frozen=True)
class Access:
    """A session that had a rendition of the dataset mounted, in which version and under which row and agreement."""

    session: str
    person: str
    project: str
    rendition: str
    version: int
    row_id: str
    agreement_id: str | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class PolicyDiff:
    """Rows (column -> value) that came, that went, and those that changed (before, after)."""

    added: list[dict[str, str]]
    removed: list[dict[str, str]]
    changed: list[tuple[dict[str, str], dict[str, str]]]


def who_could(db: Session, dataset_id: str, at: datetime, *, data_root: Path = Path("/")) -> list[Could]:
    """Who could mount which rendition of a dataset at that moment (aware; not in the future), in which project."""
    changes.get_dataset(db, dataset_id)
    if at.tzinfo is None:
        raise Invalid(f"{at.isoformat()} has no time zone: add one, such as {at.isoformat()}+00:00.")
    if at > clock.now():
        raise Invalid(f"{at.isoformat()} is yet to come: what will be allowed then can still change.")
    past, memberships = _snapshot_at(db, at, data_root)
    day = at.astimezone(clock.now().tzinfo).date()
    return sorted(
        (
            Could(person, project, mount.rendition, mount.row_id, mount.agreement_id)
            for person, project in memberships
            for mount in past.mounts(person, project, day)
            if mount.dataset_id == dataset_id
        ),
        key=lambda could: (could.rendition, could.project, could.person),
    )


def accesses(
    db: Session, dataset_id: str, *, since: datetime | None = None, until: datetime | None = None
) -> list[Access]:
    """The sessions that had the dataset mounted at some time between `since` and `until`, the oldest first."""
    changes.get_dataset(db, dataset_id)
    found = select(SessionRecord).where(cast(SessionRecord.mounts, String).contains(f'"{dataset_id}"', autoescape=True))
    if since is not None:
        found = found.where((SessionRecord.ended_at.is_(None)) | (SessionRecord.ended_at >= since))
    if until is not None:
        found = found.where(SessionRecord.started_at <= until)
    return [
        Access(
            session.id, session.person_id, session.project_id, mount["rendition"], mount["version"], mount["row_id"],
            mount["agreement_id"], session.started_at, session.ended_at,
        )
        for session in db.scalars(found.order_by(SessionRecord.started_at, SessionRecord.id))
        for mount in session.mounts
        if mount["dataset_id"] == dataset_id
    ]  # fmt: skip


def policy_diff(db: Session, a: int, b: int) -> PolicyDiff:
    """What changed from version `a` to version `b`; 0 is the empty policy before the first."""
    before, after = (_rows_by_id(db, number) for number in (a, b))
    return PolicyDiff(
        added=[after[row_id] for row_id in sorted(after.keys() - before.keys())],
        removed=[before[row_id] for row_id in sorted(before.keys() - after.keys())],
        changed=[
            (before[row_id], after[row_id])
            for row_id in sorted(before.keys() & after.keys())
            if before[row_id] != after[row_id]
        ],
    )


def _rows_by_id(db: Session, number: int) -> dict[str, dict[str, str]]:
    rows = parse_rows(get_version(db, number).rows) if number else []
    return {row["id"]: row for row in rows}


def _snapshot_at(db: Session, at: datetime, data_root: Path) -> tuple[Snapshot, list[tuple[str, str]]]:
    """The snapshot of that moment, and the (person, project) pairs of its members."""
    engine = create_engine("sqlite://")
    kinds: tuple[type[Base], ...] = (*_FACTS, PolicyRow, PolicyVersion, ChangeCount)
    Base.metadata.create_all(engine, tables=[Base.metadata.tables[kind.__tablename__] for kind in kinds])
    with Session(engine) as past:
        for kind in _FACTS:
            table = Base.metadata.tables[kind.__tablename__]
            if rows := [dict(row) for row in db.execute(select(table)).mappings()]:
                past.execute(insert(table), rows)
        past.execute(delete(RenditionVersion).where(RenditionVersion.published_at > at))
        _wind_back(db, past, at)
        then = select(PolicyVersion).where(PolicyVersion.at <= at).order_by(PolicyVersion.number.desc())
        if version := db.scalars(then).first():
            past.add_all(policy_row(values) for values in parse_rows(version.rows))
        past.commit()
        domains = select(Role.person_id, Role.domain).where(Role.role.in_(("researcher", "lead")))
        members = {(person, domain.removeprefix("project:")) for person, domain in past.execute(domains)}
        snapshot = load_snapshot(past, data_root)
    engine.dispose()
    return snapshot, sorted(members)


def _wind_back(db: Session, past: Session, at: datetime) -> None:
    """Undoes each change of facts after that moment, the latest first, as the audit log tells it."""
    for body in db.scalars(select(AuditEntry.body).order_by(AuditEntry.seq.desc()).execution_options(yield_per=1000)):
        entry = json.loads(body)
        if datetime.fromisoformat(entry["at"]) <= at:
            break
        if entry["act"] in {Act.DatasetAltered, Act.RenditionWithdrawn} and "version" in entry["details"]:
            _give_back(past, entry)
        elif entry["act"] == Act.DatasetChanged and isinstance(entry["details"].get("before"), dict):
            before = _typed(Dataset, entry["details"]["before"])
            past.execute(
                update(Dataset).where(Dataset.id == entry["subject"].removeprefix("dataset:")).values(**before)
            )
        fact = entry["details"].get("fact")
        if not fact or fact["table"] not in _TABLES:
            continue
        kind, key = _TABLES[fact["table"]], fact["key"]
        table = Base.metadata.tables[kind.__tablename__]
        if fact["before"] is None:
            past.execute(delete(table).where(table.c.id == key))
        elif fact["after"] is None:
            past.execute(insert(table).values(id=key, **_typed(kind, fact["before"])))
        elif fact["before"]:
            past.execute(update(table).where(table.c.id == key).values(**_typed(kind, fact["before"])))


def _give_back(past: Session, entry: dict[str, Any]) -> None:
    """A version that was taken out of use after the moment was still in use at it."""
    details, rendition = entry["details"], entry["subject"].removeprefix("rendition:")
    past.execute(
        update(RenditionVersion)
        .where(RenditionVersion.rendition_id == rendition, RenditionVersion.number == details["version"])
        .where(RenditionVersion.project_id.is_not_distinct_from(details.get("project")))
        .values(state=details.get("before", "published"))
    )


def _typed(kind: type[Base], values: dict[str, Any]) -> dict[str, Any]:
    """Values of JSON as the columns of that table hold them: days as dates."""
    columns = Base.metadata.tables[kind.__tablename__].c
    return {
        name: date.fromisoformat(value) if isinstance(value, str) and _holds_day(columns[name]) else value
        for name, value in values.items()
    }


def _holds_day(column: Any) -> bool:
    try:
        return bool(column.type.python_type is date)
    except NotImplementedError:  # a type that has none, such as the aware time
        return False
