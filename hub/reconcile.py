"""After a crash or a restart: containers, records and folders of sessions are brought back to one truth."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Engine

from access_control.database import reading
from access_control.settings import Settings
from hub.engine_room import EngineRoom
from hub.session_start import live_sessions, mark_ended
from hub.workspaces import remove_session_folder


@dataclass
class Reconciled:
    """What was found: sessions that go on, sessions that were closed, containers that were removed."""

    kept: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def reconcile(engine: Engine, settings: Settings, room: EngineRoom) -> Reconciled:
    """Keeps what is recorded as running and runs; closes and removes everything else. Raises Refused without Docker."""
    result = Reconciled()
    containers = room.ours()
    with reading(engine) as db:
        records = {record.id: record.state for record in live_sessions(db)}
    for container, session_id in containers.items():
        seen = room.look(container)
        if seen is not None and seen.running and records.get(session_id) == "running":
            result.kept.append(session_id)
            continue
        room.remove(container)
        result.removed.append(container)
    for session_id, state in records.items():
        if session_id in result.kept:
            continue
        reason = {
            "starting": "The hub was stopped while this session started. Start it again.",
            "stopping": "The session was being stopped.",
        }.get(state, "The session's container was gone after a restart of the machine or of Docker. Start it again.")
        if mark_ended(engine, session_id, reason):
            result.ended.append(session_id)
        remove_session_folder(settings, session_id)
    return result
