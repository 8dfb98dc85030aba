"""Buckets and days as arithmetic."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from access_control.settings import Tier
from hub.gateway.budgets import PROJECT_FACTOR, Budgets, Flow, Level, Meter, Paused
from hub.gateway.sessions import LiveSession

DAY, NEXT = date(2026, 1, 1), date(2026, 1, 2)
TIER = Tier(bytes_per_minute=60, burst_bytes=1000, bytes_per_day=10_000, warn_at=0.5)


def meter() -> Meter:
    return Meter(rate=1.0, burst=1000, per_day=10_000, warn_at=0.5, tokens=1000.0)


def session(person: str = "ana", project: str = "p17", number: int = 1) -> LiveSession:
    return LiveSession(f"{number:032x}", person, project, 2, Path("/s"), 1)


def budgets(tier: Tier = TIER) -> tuple[Budgets, list[Level]]:
    levels: list[Level] = []
    return Budgets(dict.fromkeys(range(5), tier), lambda _session, level, _sentence: levels.append(level)), levels


def test_below_the_burst_nothing_waits() -> None:
    one = meter()
    assert one.spend(400, 0, DAY) == 0
    assert one.level is Level.Fine


def test_a_debt_is_waited_for_at_the_rate_and_is_filled_again() -> None:
    one = meter()
    assert one.spend(1010, 0, DAY) == pytest.approx(10)
    assert one.level is Level.Paused or one.level is Level.Slow
    assert one.spend(0, 5000, DAY) == 0
    assert one.level is Level.Fine


def test_levels_go_up_in_order() -> None:
    one, seen = meter(), []
    for _ in range(20):
        one.spend(100, 0, DAY)
        seen.append(one.level)
    assert [level for n, level in enumerate(seen) if level not in seen[:n]] == [
        Level.Fine, Level.Warned, Level.Slow, Level.Paused,
    ]  # fmt: skip


def test_a_new_day_starts_anew() -> None:
    one = meter()
    for n in range(20):
        one.spend(600, n * 1000, DAY)
    assert one.level is Level.Paused
    one.spend(1, 30_000, NEXT)
    assert one.level is Level.Fine
    assert one.used == 1


def test_a_clock_that_stands_still_or_jumps_back_fills_nothing() -> None:
    one = meter()
    one.spend(900, 100, DAY)
    one.spend(0, 50, DAY)
    assert one.tokens <= 1000 - 900


def test_two_sessions_of_a_person_share_a_budget() -> None:
    made, _ = budgets()
    made.spend(session(project="p1"), 900, "stream")
    made.spend(session(project="p2", number=2), 90, "stream")
    assert made.level(session(project="p2", number=2)) is Level.Warned


def test_a_projects_budget_is_that_of_several_persons() -> None:
    made, levels = budgets(Tier(bytes_per_minute=60, burst_bytes=1000, bytes_per_day=100_000, warn_at=0.9))
    for n in range(PROJECT_FACTOR):
        made.spend(session(f"p-{n}", number=n), 899, "stream")
    assert levels == []
    made.spend(session("late", number=99), 899, "stream")
    assert levels != []


def test_what_is_paused_stays_paused_until_a_steward_decides() -> None:
    made, levels = budgets()
    one = session()
    with pytest.raises(Paused):
        made.spend(one, 5000, "stream")
    with pytest.raises(Paused):
        made.spend(one, 0, "stream")
    assert levels == [Level.Paused]
    made.go_on(one)
    made.spend(one, 10, "stream")
    assert made.level(one) is Level.Fine


def test_going_on_gives_half_a_day_more() -> None:
    made, _ = budgets(Tier(bytes_per_minute=10**9, burst_bytes=10**9, bytes_per_day=1000))
    one = session()
    with pytest.raises(Paused):
        made.spend(one, 1001, "stream")
    made.go_on(one)
    made.spend(one, 400, "stream")
    with pytest.raises(Paused):
        made.spend(one, 200, "stream")


def test_the_flow_keeps_sizes_and_bounds_what_a_container_can_invent() -> None:
    flow = Flow()
    for n in range(1000):
        flow.add(f"type-{n}", 1, f"path-{n}")
    assert flow.total == 1000
    assert len(flow.by_type) <= 65
    assert len(flow.rows()) < 100


@pytest.mark.parametrize("tier", range(5))
def test_the_defaults_do_not_touch_a_day_of_normal_work(tier: int) -> None:
    """benchmarks/gateway.py --day: 42 MB in a day, of which it replays 39 MB within a minute or two."""
    from access_control.settings import Settings

    limits = Settings().tiers[tier]
    assert limits.bytes_per_day * limits.warn_at > 42_000_000 * 4
    assert limits.burst_bytes * limits.warn_at > 39_000_000
