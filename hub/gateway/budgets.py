"""Budgets: how many bytes may leave through the browser, per person, project and tier.

A token bucket bounds the rate and a counter the day. Below the warning level nobody notices anything. Above it a
banner tells the researcher; with the bucket empty the session slows to the bucket's rate; with half a bucket more
gone while it is slow, or the day's bytes used up, it pauses until a data steward lets it go on or ends it. Deciding
is plain arithmetic in the event loop; the database is `incidents.py`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from access_control import clock
from access_control.errors import Refused
from access_control.settings import Tier
from hub.gateway.sessions import LiveSession

PROJECT_FACTOR = 4  # a project's budget in persons' budgets: a team may work, but not each at the full rate all day
LONGEST_DELAY = 5.0  # seconds; a slowed answer is not a dead one
_MOST_PATHS = 20
_MOST_TYPES = 64


class Level(StrEnum):
    """How a session stands."""

    Fine = "fine"
    Warned = "warned"
    Slow = "slow"
    Paused = "paused"


_ORDER = {level: place for place, level in enumerate(Level)}


class Paused(Refused):
    """The session has passed its budget and waits for a steward."""


@dataclass
class Meter:
    """The bucket and the day of one person or project within one tier."""

    rate: float  # bytes a second
    burst: int
    per_day: int
    warn_at: float
    tokens: float = 0.0
    filled: float = 0.0  # monotonic time up to which `tokens` counts
    day: date = date.min
    used: int = 0  # bytes of `day`
    allowance: int = 0  # added to the day by a steward
    over: int = 0  # bytes that flowed while the bucket was empty, since it was last half full

    def spend(self, size: int, now: float, today: date) -> float:
        """Takes `size` bytes and returns for how many seconds the bucket is in debt."""
        if today != self.day:
            self.day, self.used, self.allowance = today, 0, 0
        self.tokens = min(float(self.burst), self.tokens + max(0.0, now - self.filled) * self.rate)
        self.filled = now
        if self.tokens * 2 >= self.burst:
            self.over = 0
        self.tokens -= size
        self.used += size
        if self.tokens < 0:
            self.over += size
            return -self.tokens / self.rate
        return 0.0

    @property
    def limit(self) -> int:
        """Bytes of this day."""
        return self.per_day + self.allowance

    @property
    def level(self) -> Level:
        """How this meter stands after its last `spend`."""
        if self.used > self.limit or self.over * 2 > self.burst:
            return Level.Paused
        if self.tokens < 0:
            return Level.Slow
        if self.used > self.limit * self.warn_at or self.tokens < self.burst * (1 - self.warn_at):
            return Level.Warned
        return Level.Fine


@dataclass
class Flow:
    """What left in one session: sizes by type, and by path for files."""

    total: int = 0
    by_type: dict[str, list[int]] = field(default_factory=dict)  # count, bytes, largest
    by_path: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, size: int, path: str) -> None:
        """Counts one message or answer; the container can invent types and paths, so their number is bounded."""
        self.total += size
        if what not in self.by_type and len(self.by_type) >= _MOST_TYPES:
            what = "other"
        row = self.by_type.setdefault(what, [0, 0, 0])
        row[0] += 1
        row[1] += size
        row[2] = max(row[2], size)
        if path:
            self.by_path[path] = self.by_path.get(path, 0) + size
            if len(self.by_path) > _MOST_PATHS * 2:
                keep = sorted(self.by_path.items(), key=lambda item: -item[1])[:_MOST_PATHS]
                self.by_path = dict(keep)

    def rows(self) -> list[dict[str, Any]]:
        """For an incident: largest first."""
        types = sorted(self.by_type.items(), key=lambda item: -item[1][1])
        paths = sorted(self.by_path.items(), key=lambda item: -item[1])[:_MOST_PATHS]
        return [
            *({"what": name, "count": row[0], "bytes": row[1], "largest": row[2]} for name, row in types),
            *({"path": path[:200], "bytes": size} for path, size in paths),
        ]


class Budgets:
    """The meters of everybody, and the flow of each session. `on_level` is called when a session's level goes up."""

    def __init__(self, tiers: dict[int, Tier], on_level: Callable[[LiveSession, Level, str], None]) -> None:
        self._tiers = tiers
        self._on_level = on_level
        self.meters: dict[tuple[str, int], Meter] = {}
        self._flows: dict[str, Flow] = {}
        self._levels: dict[str, Level] = {}

    def meter(self, scope: str, tier: int) -> Meter:
        """The meter of `person:ana` or `project:p17` in a tier."""
        found = self.meters.get((scope, tier))
        if found is None:
            limits = self._tiers[tier]
            factor = PROJECT_FACTOR if scope.startswith("project:") else 1
            burst = limits.burst_bytes * factor
            rate = limits.bytes_per_minute * factor / 60
            found = Meter(rate, burst, limits.bytes_per_day * factor, limits.warn_at, float(burst), time.monotonic())
            self.meters[scope, tier] = found
        return found

    def meters_of(self, session: LiveSession) -> tuple[Meter, Meter]:
        """A session's two meters."""
        person = self.meter(f"person:{session.person}", session.tier)
        return person, self.meter(f"project:{session.project}", session.tier)

    def spend(self, session: LiveSession, size: int, what: str, path: str = "") -> float:
        """Counts bytes that are about to leave; returns the seconds to wait first. Raises Paused past the budget."""
        if self._levels.get(session.id) is Level.Paused:
            raise Paused(PAUSED)
        self.flow(session.id).add(what, size, path)
        now, today = time.monotonic(), clock.today()
        person, project = self.meters_of(session)
        delay = max(person.spend(size, now, today), project.spend(size, now, today))
        level = max(person.level, project.level, key=_ORDER.__getitem__)
        before = self._levels.get(session.id, Level.Fine)
        if level is not before:
            self._levels[session.id] = level
            session.tell()
            if _ORDER[level] > _ORDER[before]:
                self._on_level(session, level, _SENTENCES[level])
        if level is Level.Paused:
            raise Paused(PAUSED)
        return min(delay, LONGEST_DELAY)

    def level(self, session: LiveSession) -> Level:
        """How the session stands."""
        return self._levels.get(session.id, Level.Fine)

    def sentence(self, session: LiveSession) -> str:
        """What the banner says; empty when all is well."""
        return _SENTENCES[self.level(session)]

    def flow(self, session_id: str) -> Flow:
        """What left in a session so far."""
        return self._flows.setdefault(session_id, Flow())

    def pause(self, session: LiveSession) -> None:
        """Pauses a session, as after a restart of the gateway for one whose incident is still open."""
        self._levels[session.id] = Level.Paused

    def go_on(self, session: LiveSession) -> None:
        """A steward lets a paused session go on: a full bucket, and half a day's budget more."""
        for meter in self.meters_of(session):
            meter.tokens, meter.filled, meter.over = float(meter.burst), time.monotonic(), 0
            meter.allowance = max(meter.allowance, meter.used - meter.per_day) + meter.per_day // 2
        self._levels[session.id] = Level.Fine
        session.tell()

    def forget(self, session_id: str) -> None:
        """Drops what is kept of an ended session; the meters of person and project stay."""
        self._flows.pop(session_id, None)
        self._levels.pop(session_id, None)

    def describe(self, session: LiveSession) -> dict[str, Any]:
        """Level and bytes, for the control socket and the page."""
        person = self.meters_of(session)[0]
        return {
            "level": str(self.level(session)),
            "bytes": self.flow(session.id).total,
            "day_bytes": person.used,
            "day_limit": person.limit,
        }


PAUSED = (
    "This session has passed the amount of data that its tier may show. It is paused, your kernels keep running and "
    "nothing "
    "is lost. A data steward has been told and will let it go on or end it. To take results out, use the release queue."
)
_SENTENCES = {
    Level.Fine: "",
    Level.Warned: (
        "This session has shown much data in a short time. If it goes on it becomes slower, and then pauses. Print "
        "less: "
        "fewer rows, smaller pictures. To take results out, use the release queue of the portal."
    ),
    Level.Slow: (
        "This session shows more data than its tier allows at once, so it is slowed down. Print less, or wait a little."
    ),
    Level.Paused: PAUSED,
}
