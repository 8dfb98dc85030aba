"""What a page shows of sessions: the record that the spawner keeps beside what the hub says of the server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control.decisions import Mount
from access_control.errors import AccessError
from access_control.models import SessionRecord
from hub.gateway.control import GatewayControl
from hub.portal.hubapi import Server

ALIVE = ("starting", "running", "stopping")


@dataclass(frozen=True)
class SessionView:
    """A person's session in a project. `state` is starting, running, stopping or ended."""

    state: str
    record: SessionRecord | None
    mounts: tuple[Mount, ...] = ()
    ended_because: str = ""
    budget: Budget | None = None


@dataclass(frozen=True)
class Budget:
    """What the gateway has shown to the person today, in bytes, of what their tier lets through; `level` says how near
    they are: fine, warned, slow or paused.
    """

    day_bytes: int
    day_limit: int
    level: str


def with_budget(shown: SessionView, control: GatewayControl) -> SessionView:
    """The view with its session's budget; without one when the gateway does not know the session or does not answer."""
    if shown.state != "running" or shown.record is None:
        return shown
    try:
        rows = control.sessions()
    except AccessError:
        return shown
    for row in rows:
        if row["id"] == shown.record.id:
            return replace(shown, budget=Budget(int(row["day_bytes"]), int(row["day_limit"]), str(row["level"])))
    return shown


def latest(db: Session, person: str, project: str) -> SessionRecord | None:
    """The newest session of that person in that project, whatever its state."""
    return db.scalars(
        select(SessionRecord)
        .where(SessionRecord.person_id == person, SessionRecord.project_id == project)
        .order_by(SessionRecord.started_at.desc())
        .limit(1)
    ).first()


def running(db: Session) -> list[SessionRecord]:
    """Every session that isn't over, oldest first."""
    return list(
        db.scalars(select(SessionRecord).where(SessionRecord.state.in_(ALIVE)).order_by(SessionRecord.started_at))
    )


def mounts_of(record: SessionRecord) -> tuple[Mount, ...]:
    """The mounts that a session was given."""
    return tuple(Mount.from_dict(values) for values in record.mounts)


def view(record: SessionRecord | None, server: Server | None) -> SessionView:
    """The state to show: a container counts as running once the hub, too, calls its server ready."""
    if server and server.pending == "spawn":
        return SessionView("starting", record)
    if server and server.pending == "stop":
        return SessionView("stopping", record, (), record.reason if record else "")
    if record is None:
        return SessionView("ended", None)
    if record.state == "running" and server and server.ready:
        return SessionView("running", record, mounts_of(record))
    if record.state in ALIVE and server:
        return SessionView(record.state if record.state != "running" else "starting", record, (), record.reason)
    return SessionView("ended", record, (), record.reason)


def datasets_of(mounts: Iterable[Mount]) -> list[str]:
    """The renditions of some mounts, in order and each once."""
    return list(dict.fromkeys(mount.rendition for mount in mounts))
