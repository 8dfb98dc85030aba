"""What a change of policy would do, decided as if it were in force: who gains and loses what, which sessions stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import clock
from access_control.decisions import Mount
from access_control.models import Role, SessionRecord
from access_control.snapshot import Snapshot, load_snapshot
from access_control.validation import OPTIONAL

MEMBERS = ("researcher", "lead")


@dataclass(frozen=True)
class MountChange:
    """A rendition that a person gains or loses in a project from `day` on, with the row and the sentence."""

    person: str
    project: str
    rendition: str
    row_id: str | None
    reason: str
    day: date


@dataclass(frozen=True)
class Preview:
    """What a change would do; `stopped` are the sessions that would lose a mount: (session, person, project)."""

    gains: list[MountChange]
    losses: list[MountChange]
    stopped: list[tuple[str, str, str]]


def preview_policy(db: Session, data_root: Path, *, add: list[dict[str, Any]], remove: list[str]) -> Preview:
    """What the change would do today, and on the later days on which its rows begin; decided as if it were in force."""
    before = load_snapshot(db, data_root)
    after = before.with_rows(add=[typed_row(row) for row in add], remove=remove)
    today = clock.today()
    days = sorted({today} | {day for row in add if (day := date.fromisoformat(str(row["start"]))) > today})
    gains: list[MountChange] = []
    losses: list[MountChange] = []
    seen: set[tuple[str, str, str, bool]] = set()
    for day in days:
        for person, project in _memberships(db, day):
            had = {mount.rendition: mount for mount in before.mounts(person, project, day)}
            has = {mount.rendition: mount for mount in after.mounts(person, project, day)}
            for rendition in sorted(set(had) ^ set(has)):
                gained = rendition in has
                if (person, project, rendition, gained) in seen:
                    continue
                seen.add((person, project, rendition, gained))
                decided = after.decide(person, project, rendition, "mount", day)
                change = MountChange(person, project, rendition, decided.row_id, decided.reason, day)
                (gains if gained else losses).append(change)
    return Preview(gains, losses, _stopped(db, after, today))


def typed_row(values: Mapping[str, Any]) -> dict[str, Any]:
    """A checked row with its days as dates and with what may be left out."""
    row = {**OPTIONAL, **values}
    for name in ("start", "until"):
        row[name] = date.fromisoformat(str(row[name]))
    return row


def _memberships(db: Session, day: date) -> list[tuple[str, str]]:
    held = select(Role.person_id, Role.domain).where(Role.role.in_(MEMBERS), Role.start <= day, Role.until >= day)
    return sorted({(person, domain.removeprefix("project:")) for person, domain in db.execute(held)})


def _stopped(db: Session, after: Snapshot, today: date) -> list[tuple[str, str, str]]:
    stopped = []
    running = select(SessionRecord).where(SessionRecord.state.in_(("starting", "running")))
    for session in db.scalars(running.order_by(SessionRecord.started_at)):
        mounts = [Mount.from_dict(values) for values in session.mounts]
        if not all(after.still(session.person_id, session.project_id, mount, today).allowed for mount in mounts):
            stopped.append((session.id, session.person_id, session.project_id))
    return stopped
