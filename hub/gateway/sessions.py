"""The sessions that the gateway serves: who may enter which, while its lease is fresh, and what is open in each.

Pure bookkeeping in one thread (the event loop's). Nothing is served without a lease: the warden renews it each second,
after a decision that went through; when warden or database stop, the gateway stops serving within the lease.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from access_control.errors import Invalid

SESSION_ID = re.compile(r"[0-9a-f]{32}")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_REMEMBER_ENDED = 512  # ended sessions whose reason is still told to a browser that asks
_REMEMBER_SECONDS = 1800
_MOST_LEASES = 10_000
LONGEST_WARNING = 30.0  # seconds


@dataclass(eq=False)
class LiveSession:
    """One running session as the gateway sees it. `socket` is the path of the container's server, `uid` its owner."""

    id: str
    person: str
    project: str
    tier: int
    socket: Path
    uid: int
    registered: float = field(default_factory=time.monotonic)
    last_activity: float = field(default_factory=time.monotonic)  # of the person, not of the container
    ready: bool = False
    silent: bool = False  # its server did not answer when it was last asked
    websockets: int = 0
    warning: str = ""  # why it is about to be cut
    memory: str = ""  # what is said of memory that ran out
    memory_at: float = float("-inf")  # monotonic
    cut_at: float = 0.0  # monotonic; from then on nothing is served, whoever still renews the lease
    ended: str = ""  # the reason, once cut
    closers: set[Callable[[str], None]] = field(default_factory=set)  # each closes one open request or websocket
    listeners: set[Callable[[], None]] = field(default_factory=set)  # each is told when the page has something to show

    def __post_init__(self) -> None:
        if not SESSION_ID.fullmatch(self.id):
            raise Invalid(f"{self.id!r} is no session's id; it must be 32 hexadecimal digits")
        for what, name in (("person", self.person), ("project", self.project)):
            if not NAME.fullmatch(name):
                raise Invalid(f"{name!r} is no {what}'s id; it must be small letters, digits and hyphens")
        if self.tier not in range(5):
            raise Invalid(f"tier {self.tier!r} is not one of 0 to 4")
        if not self.socket.is_absolute():
            raise Invalid(f"the session's socket must be an absolute path, not {self.socket}")

    def touch(self) -> None:
        """Notes that the person did something."""
        self.last_activity = time.monotonic()

    def tell(self) -> None:
        """Something changed that the page shows: its level, or that it is about to be cut."""
        for listener in list(self.listeners):
            listener()


class SessionRegistry:
    """All sessions of this gateway, by id and by (person, project)."""

    def __init__(self) -> None:
        self._sessions: dict[str, LiveSession] = {}
        self._leases: dict[str, float] = {}  # kept apart: a lease may come before its session is registered
        self._ended: dict[str, tuple[str, str, float]] = {}  # reason, project, when

    def register(self, session: LiveSession) -> None:
        """Takes a session in; the same id again must be the same session, and another of the same project is cut."""
        old = self._sessions.get(session.id)
        if old is not None:
            same = (old.person, old.project, old.tier, old.socket, old.uid)
            if same != (session.person, session.project, session.tier, session.socket, session.uid):
                raise Invalid(f"session {session.id} is registered with other facts; cut it first")
            return
        for other in list(self._sessions.values()):
            if (other.person, other.project) == (session.person, session.project):
                self.cut(other.id, "A newer session of this project was started.")
        self._ended.pop(session.id, None)
        self._sessions[session.id] = session

    def cut(self, session_id: str, reason: str) -> bool:
        """Ends a session here, now: no request is served from this moment on and all that is open is closed."""
        self._leases.pop(session_id, None)
        session = self._sessions.pop(session_id, None)
        if session is None:
            return False
        session.ended = reason or "The session was ended."
        self._ended[session_id] = (session.ended, session.project, time.monotonic())
        while len(self._ended) > _REMEMBER_ENDED:
            self._ended.pop(next(iter(self._ended)))
        for close in list(session.closers):
            close(session.ended)
        session.closers.clear()
        return True

    def warn(self, session_id: str, reason: str, seconds: float) -> float | None:
        """The session is cut after so many seconds (30 at most), however often it is warned; the page is told why.

        Returns the seconds that are left, or None when it is not here. Whoever calls this cuts it then; nothing is
        served after that time in any case.
        """
        session = self._sessions.get(session_id)
        if session is None:
            return None
        now = time.monotonic()
        cut_at = now + max(0.0, min(float(seconds), LONGEST_WARNING))
        session.cut_at = min(session.cut_at or cut_at, cut_at)
        session.warning = session.warning or reason
        session.tell()
        return max(0.0, session.cut_at - now)

    def ran_out_of_memory(self, session_id: str, sentence: str) -> bool:
        """The page is told that a program in the session was ended for want of memory; False when it is not here."""
        session = self._sessions.get(session_id)
        if session is None:
            return False
        session.memory, session.memory_at = sentence, time.monotonic()
        session.tell()
        return True

    def renew(self, ids: Iterable[str], seconds: float) -> None:
        """The warden has just decided that these may go on; their leases run `seconds` from now (60 at most)."""
        now = time.monotonic()
        until = now + max(0.0, min(float(seconds), 60.0))
        if len(self._leases) > _MOST_LEASES:
            self._leases = {old: end for old, end in self._leases.items() if end > now}
        for session_id in ids:
            if SESSION_ID.fullmatch(session_id):
                self._leases[session_id] = until

    def fresh(self, session: LiveSession) -> bool:
        """Whether the session may be served at this moment."""
        now = time.monotonic()
        return not session.ended and self._leases.get(session.id, 0.0) > now and not 0 < session.cut_at <= now

    def lease_seconds(self, session_id: str) -> float:
        """Seconds that the session's lease still runs; 0 when it has none."""
        return max(0.0, self._leases.get(session_id, 0.0) - time.monotonic())

    def get(self, session_id: str) -> LiveSession | None:
        """The session of that id, or None when it is not running here."""
        return self._sessions.get(session_id)

    def of(self, person: str, project: str) -> LiveSession | None:
        """The session of a person in a project, or None."""
        return next((s for s in self._sessions.values() if (s.person, s.project) == (person, project)), None)

    def ended(self, session_id: str) -> tuple[str, str] | None:
        """Why a session ended and its project, while that is remembered."""
        found = self._ended.get(session_id)
        return found[:2] if found else None

    def known_ids(self) -> list[str]:
        """Sessions that a browser may still ask for: the running ones, and the ended ones whose reason is told."""
        since = time.monotonic() - _REMEMBER_SECONDS
        self._ended = {old: facts for old, facts in self._ended.items() if facts[2] > since}
        return [*self._sessions, *self._ended]

    def stale(self) -> list[LiveSession]:
        """Sessions with something open whose lease has run out: the gateway closes what is open in them."""
        return [s for s in self._sessions.values() if s.closers and not self.fresh(s)]

    def all(self) -> list[LiveSession]:
        """Every registered session."""
        return list(self._sessions.values())

    def describe(self, session: LiveSession) -> dict[str, Any]:
        """What the control socket tells of a session; never data."""
        return {
            "id": session.id,
            "person": session.person,
            "project": session.project,
            "tier": session.tier,
            "ready": session.ready,
            "lease_seconds": round(self.lease_seconds(session.id), 3),
            "idle_seconds": round(time.monotonic() - session.last_activity, 1),
            "open": len(session.closers),
            "warned": bool(session.warning),
        }
