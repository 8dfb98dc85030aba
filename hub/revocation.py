"""Which sessions and requests no longer hold: plain decisions over a snapshot of the policy, and what is written of
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import audit
from access_control.audit import Act
from access_control.decisions import Mount
from access_control.models import SessionRecord
from access_control.settings import Settings
from access_control.snapshot import Snapshot
from egress_review.freezing import freeze_for
from egress_review.models import ReleaseRequest
from egress_review.states import LIVE
from hub.session_start import LIVE_STATES


@dataclass(frozen=True)
class Held:
    """A session as the warden decides on it."""

    id: str
    person: str
    project: str
    tier: int
    container: str
    mounts: tuple[Mount, ...]


@dataclass(frozen=True)
class Lost:
    """A session that has to end: which renditions it lost (none when person or project no longer stand), and why.

    `warned` says for how many seconds it was warned first.
    """

    session: Held
    renditions: tuple[str, ...]
    reason: str
    warned: int = 0


def running(db: Session) -> list[Held]:
    """Every session that has not ended, those that are starting too."""
    rows = db.scalars(select(SessionRecord).where(SessionRecord.state.in_(LIVE_STATES)).order_by(SessionRecord.id))
    return [
        Held(
            row.id,
            row.person_id,
            row.project_id,
            row.tier,
            row.container,
            tuple(Mount.from_dict(mount) for mount in row.mounts),
        )
        for row in rows
    ]


def decide(snapshot: Snapshot, session: Held, today: date) -> Lost | None:
    """None when the session may go on with all its mounts today, else what it lost and why."""
    standing = snapshot.may(session.person, "open", today, project=session.project)
    if not standing.allowed:
        return Lost(session, (), f"Your access to {session.project} has ended: {standing.reason}")
    work = snapshot.facts.projects[session.project]
    if work.tier != session.tier:
        reason = (
            f"The tier of {session.project} was changed from {session.tier} to {work.tier}. Start the session again."
        )
        return Lost(session, (), reason)
    gone = []
    for mount in session.mounts:
        decision = snapshot.still(session.person, session.project, mount, today)
        if not decision.allowed:
            gone.append((mount.rendition, decision.reason))
    if not gone:
        return None
    names = ", ".join(sorted({rendition for rendition, _ in gone}))
    reason = (
        f"Your access to {names} has ended: {gone[0][1]}. Start the session again to work with what you still may see."
    )
    return Lost(session, tuple(rendition for rendition, _ in gone), reason)


def warning_seconds(settings: Settings, snapshot: Snapshot, session: Held) -> int:
    """How long a session that lost something is warned first: what the strictest tier in it allows, 0 for at once.

    The strictest of the tier it was started in, its project's now, and those of its data, then and now. A person who
    is suspended is cut at once in every tier.
    """
    facts = snapshot.facts
    person, work = facts.people.get(session.person), facts.projects.get(session.project)
    if person is None or person.suspended or work is None:
        return 0
    now = [facts.renditions[mount.rendition] for mount in session.mounts if mount.rendition in facts.renditions]
    if len(now) < len(session.mounts):
        return 0
    tiers = {session.tier, work.tier, *(mount.tier for mount in session.mounts), *(data.tier for data in now)}
    return min(settings.tiers[tier].warning_seconds if tier in settings.tiers else 0 for tier in tiers)


def record_cut(db: Session, lost: Lost) -> bool:
    """Marks a session as stopping and writes the audit entry; False when that was done before."""
    row = db.get(SessionRecord, lost.session.id)
    if row is None or row.state not in ("starting", "running"):
        return False
    row.state, row.reason = "stopping", lost.reason
    details: dict[str, Any] = {
        "project": row.project_id,
        "person": row.person_id,
        "lost": list(lost.renditions),
        "reason": lost.reason,
    }
    if lost.warned:
        details["warned_seconds"] = lost.warned
    audit.record(db, Act.SessionCut, actor="<warden>", subject=f"session:{row.id}", details=details)
    return True


@dataclass(frozen=True)
class Stale:
    """Requests of an author in a project that rest on what is no longer granted; `renditions` None means all of
    them.
    """

    author: str
    project: str
    renditions: tuple[str, ...] | None
    reason: str


def stale_requests(db: Session, snapshot: Snapshot, today: date) -> list[Stale]:
    """Live requests whose author or grants no longer hold, whether or not a session runs."""
    rows = db.scalars(select(ReleaseRequest).where(ReleaseRequest.state.in_([state.value for state in LIVE]))).all()
    found = {(row.author_id, row.project_id, tuple(str(mount["rendition"]) for mount in row.mounts)) for row in rows}
    stale = []
    for author, project, renditions in sorted(found):
        standing = snapshot.may(author, "open", today, project=project)
        if not standing.allowed:
            stale.append(Stale(author, project, None, standing.reason))
            continue
        decisions = {each: snapshot.decide(author, project, each, "mount", today) for each in renditions}
        gone = tuple(sorted(each for each, decision in decisions.items() if not decision.allowed))
        if gone:
            stale.append(Stale(author, project, gone, f"It rests on {', '.join(gone)}: {decisions[gone[0]].reason}"))
    return stale


def freeze(db: Session, stale: list[Stale]) -> list[str]:
    """Freezes them and kills the links of what was released; returns the requests' ids."""
    return [
        request
        for one in stale
        for request in freeze_for(db, one.renditions, project=one.project, person=one.author, reason=one.reason)
    ]
