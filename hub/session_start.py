"""Deciding what a session gets, as the last thing before its container is made, and keeping the books on sessions."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from access_control import audit, clock
from access_control.audit import Act
from access_control.database import writing
from access_control.decisions import Decision, Mount, Refusal
from access_control.errors import AccessError, NotPermitted, Refused
from access_control.integrity import verify_or_mark
from access_control.keeper import PolicyKeeper
from access_control.models import Project, SessionRecord
from access_control.settings import Settings
from hub.workspaces import session_folder, socket_name

LIVE_STATES = ("starting", "running", "stopping")


@dataclass(frozen=True)
class Granted:
    """A session that may start: its id, tier, exact mounts, and what it does without and why."""

    id: str
    person: str
    project: str
    tier: int
    mounts: tuple[Mount, ...]
    refusals: tuple[Refusal, ...]
    problems: tuple[str, ...]


def grant(engine: Engine, settings: Settings, keeper: PolicyKeeper, *, person: str, project: str) -> Granted:
    """Decides a session and records it with its exact mounts, in one transaction; raises NotPermitted or Refused.

    Files are verified before that transaction, as hashing takes long; what was decided anew in it and not verified is
    left out. A dataset whose files were altered is left out with its reason, and the session starts without it.
    """
    verified, problems = verify(engine, settings, _decide(keeper, person, project))
    with writing(engine) as db:
        # The write lock is held: no change of policy or facts comes between this decision and its record.
        today = clock.today()
        snapshot = keeper.current()
        check_may_open(snapshot.may(person, "open", today, project=project))
        mounts = tuple(mount for mount in snapshot.mounts(person, project, today) if mount in verified)
        refusals = tuple(snapshot.refusals(person, project, today))
        found = db.get(Project, project)
        if found is None:
            raise NotPermitted(f"There is no project {project}.")
        session_id = secrets.token_hex(16)
        granted = Granted(session_id, person, project, found.tier, mounts, refusals, tuple(problems))
        socket = session_folder(settings, session_id) / socket_name(settings, found.tier)
        _record(db, granted, str(socket), snapshot.digest)
    return granted


def check_may_open(decision: Decision) -> None:
    """Raises NotPermitted with the decision's own sentence unless it allows."""
    if not decision.allowed:
        raise NotPermitted(decision.reason)


def _decide(keeper: PolicyKeeper, person: str, project: str) -> list[Mount]:
    today = clock.today()
    snapshot = keeper.current()
    check_may_open(snapshot.may(person, "open", today, project=project))
    return snapshot.mounts(person, project, today)


def verify(engine: Engine, settings: Settings, mounts: Sequence[Mount]) -> tuple[list[Mount], list[str]]:
    """The mounts whose files are what was published, and a sentence for each of the others."""
    good: list[Mount] = []
    problems: list[str] = []
    for mount in mounts:
        try:
            verify_or_mark(engine, settings, mount)
            good.append(mount)
        except AccessError as error:
            problems.append(str(error))
    return good, problems


def _record(db: Session, granted: Granted, socket: str, digest: str) -> None:
    db.add(
        SessionRecord(
            id=granted.id,
            person_id=granted.person,
            project_id=granted.project,
            tier=granted.tier,
            state="starting",
            socket=socket,
            mounts=[mount.as_dict() for mount in granted.mounts],
            started_at=clock.now(),
        )
    )
    audit.record(
        db,
        Act.SessionStarted,
        actor=granted.person,
        subject=f"session:{granted.id}",
        details={
            "project": granted.project,
            "tier": granted.tier,
            "policy": digest,
            "mounts": [mount.as_dict() for mount in granted.mounts],
            "left_out": list(granted.problems),
        },
    )


def record_refusal(engine: Engine, *, person: str, project: str, reason: str) -> None:
    """Writes that a session was not started, and why."""
    with writing(engine) as db:
        audit.record(db, Act.SessionRefused, actor=person, subject=f"project:{project}", details={"reason": reason})


def mark_running(engine: Engine, session_id: str, container: str) -> None:
    """The container answers. Raises Refused when the session was ended meanwhile, by the warden for one."""
    with writing(engine) as db:
        record = db.get(SessionRecord, session_id)
        if record is None or record.state != "starting":
            why = record.reason if record else ""
            raise Refused(f"The session was ended while it started. {why}".strip())
        record.state, record.container = "running", container


def mark_container(engine: Engine, session_id: str, container: str) -> None:
    """Keeps the container's id as soon as there is one, so that a hub that is killed now finds it later."""
    with writing(engine) as db:
        record = db.get(SessionRecord, session_id)
        if record is not None:
            record.container = container


def mark_ended(engine: Engine, session_id: str, reason: str, *, actor: str = "<hub>") -> bool:
    """Closes a session's record, once; False when it was closed already. A reason given earlier stays."""
    with writing(engine) as db:
        return record_end(db, session_id, reason, actor=actor)


def record_end(db: Session, session_id: str, reason: str, *, actor: str) -> bool:
    """As `mark_ended`, in the caller's transaction."""
    record = db.get(SessionRecord, session_id)
    if record is None or record.state == "ended":
        return False
    record.state, record.ended_at = "ended", clock.now()
    record.reason = record.reason or reason
    details = {"project": record.project_id, "reason": record.reason}
    audit.record(db, Act.SessionStopped, actor=actor, subject=f"session:{session_id}", details=details)
    return True


def live_sessions(db: Session, person: str | None = None, project: str | None = None) -> list[SessionRecord]:
    """Sessions that have not ended, of one person and project where they are given."""
    query = select(SessionRecord).where(SessionRecord.state.in_(LIVE_STATES))
    if person is not None:
        query = query.where(SessionRecord.person_id == person)
    if project is not None:
        query = query.where(SessionRecord.project_id == project)
    return list(db.scalars(query))
