"""The one place that reads the time, so that a clock that jumps back is noticed and tests can set it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

_now: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731 - replaced by tests


def now() -> datetime:
    """The present moment, timezone-aware, in UTC."""
    return _now()


def today() -> date:
    """The present day in UTC: agreements start and end by it."""
    return _now().date()


def set_clock(source: Callable[[], datetime]) -> None:
    """Replaces the clock; `source` returns an aware datetime in UTC. For tests."""
    global _now
    _now = source
