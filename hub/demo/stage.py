"""Leaves nothing behind: ends what a demo or a test has left running in Docker."""

from __future__ import annotations

from access_control.errors import AccessError
from access_control.settings import Settings
from hub.engine_room import EngineRoom


def close_sessions(settings: Settings) -> list[str]:
    """Removes every container of that data root; returns the ids of those that were there."""
    room = EngineRoom(settings)
    try:
        found = list(room.ours())
        for container in found:
            room.remove(container)
    except AccessError:
        return []  # without Docker Engine nothing of it runs
    return found
