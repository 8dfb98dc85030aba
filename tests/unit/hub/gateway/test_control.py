"""The registry of sessions and the control socket, client and server."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select

from access_control.audit import AuditEntry
from access_control.database import open_database, reading, writing
from access_control.errors import Invalid, NotFound, Refused
from access_control.settings import Settings, Tier
from hub import schema
from hub.gateway.budgets import Budgets, Level, Paused
from hub.gateway.control import GatewayControl, control_app
from hub.gateway.incidents import IncidentBook, Passed, write_incident
from hub.gateway.models import Incident
from hub.gateway.sessions import LiveSession, SessionRegistry

A, B = "a" * 32, "b" * 32


def live(session_id: str = A, project: str = "p17", **more: Any) -> LiveSession:
    facts = {"person": "ana", "project": project, "tier": 2, "socket": Path("/run/s"), "uid": 64123} | more
    return LiveSession(session_id, **facts)


def test_a_lease_may_come_before_its_session_and_runs_out() -> None:
    registry = SessionRegistry()
    registry.renew([A], 60)
    one = live()
    registry.register(one)
    assert registry.fresh(one)
    registry.renew([A], 0)
    assert not registry.fresh(one)


def test_a_session_is_cut_once_and_everything_open_is_closed() -> None:
    registry, told = SessionRegistry(), []
    one = live()
    registry.register(one)
    registry.renew([A], 60)
    one.closers.add(told.append)
    assert registry.cut(A, "over")
    assert told == ["over"]
    assert not registry.fresh(one)
    assert registry.get(A) is None
    assert registry.ended(A) == ("over", "p17")
    assert not registry.cut(A, "again")


def test_registering_again_changes_nothing_and_other_facts_are_refused() -> None:
    registry = SessionRegistry()
    one = live()
    registry.register(one)
    registry.register(live())
    assert registry.get(A) is one
    with pytest.raises(Invalid, match="other facts"):
        registry.register(live(tier=0))


def test_a_newer_session_of_a_project_takes_the_place_of_the_old() -> None:
    registry = SessionRegistry()
    registry.register(live(A))
    registry.register(live(B))
    assert registry.get(A) is None
    assert registry.of("ana", "p17") is registry.get(B)


@pytest.mark.parametrize(
    "wrong",
    [{"session_id": "A" * 32}, {"session_id": "../x"}, {"person": "Ana/.."}, {"project": ""}, {"tier": 5}, {"socket": Path("s")}],
)  # fmt: skip
def test_a_session_is_checked_when_it_is_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        live(**wrong)


def test_ended_sessions_are_forgotten_in_the_end() -> None:
    registry = SessionRegistry()
    for n in range(600):
        registry.register(live(f"{n:032x}", f"p{n}"))
        registry.cut(f"{n:032x}", "over")
    assert len(registry.known_ids()) == 512


def with_gateway(folder: Path, calls: Callable[[GatewayControl, Any], Any]) -> Any:
    """Runs blocking `calls` in a thread beside a control server."""

    async def inside() -> Any:
        engine = open_database(f"sqlite:///{folder / 'db.sqlite'}")
        schema.create_tables(engine)
        registry = SessionRegistry()
        tier = Tier(bytes_per_minute=60, burst_bytes=1000, bytes_per_day=10_000)
        budgets = Budgets(dict.fromkeys(range(5), tier), lambda *facts: book.passed(*facts))  # noqa: PLW0108 - the book is made below
        book = IncidentBook(engine, budgets, registry)
        changes: list[Any] = []

        async def computes(_session: LiveSession, _seconds: float) -> bool:
            return True

        app = control_app(registry, book, lambda session, ended: changes.append((session, ended)), computes)
        runner = web.AppRunner(app)
        await runner.setup()
        before = os.umask(0o177)
        path = folder / "gateway.sock"
        await web.UnixSite(runner, str(path)).start()
        os.umask(before)
        world = {"registry": registry, "budgets": budgets, "engine": engine, "book": book, "changes": changes}
        world["loop"] = asyncio.get_running_loop()
        try:
            return await asyncio.to_thread(calls, GatewayControl(path), world)
        finally:
            await runner.cleanup()
            engine.dispose()

    return asyncio.run(inside())


def register(control: GatewayControl, session_id: str = A) -> None:
    control.register(session_id, person="ana", project="p17", tier=2, socket=Path("/run/x/s"), uid=64123)


def test_register_renew_list_and_cut_over_the_socket(tmp_path: Path) -> None:
    def calls(control: GatewayControl, world: Any) -> None:
        assert stat.S_IMODE((tmp_path / "gateway.sock").stat().st_mode) == 0o600
        register(control)
        register(control)
        control.renew([A, "not an id"], 3)
        (row,) = control.sessions()
        assert (row["id"], row["person"], row["level"]) == (A, "ana", "fine")
        assert 0 < row["lease_seconds"] <= 3
        assert control.cut(A, "over") is True
        assert control.cut(A, "over") is False
        register(control, B)
        assert control.cut_many({A: "over", B: "over"}) == [B]
        assert control.sessions() == []
        assert asyncio.run(control.async_sessions()) == []

    with_gateway(tmp_path, calls)


def test_a_session_that_is_warned_is_cut_by_itself(tmp_path: Path) -> None:
    def calls(control: GatewayControl, world: Any) -> None:
        register(control)
        assert control.warn({A: ("Your training has run out.", 0.2), B: ("x", 1)}) == [A]
        deadline = time.monotonic() + 60
        while control.sessions() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert world["registry"].ended(A) == ("Your training has run out.", "p17")
        assert world["changes"][-1] == (None, A)

    with_gateway(tmp_path, calls)


def test_a_session_is_told_that_memory_ran_out(tmp_path: Path) -> None:
    def calls(control: GatewayControl, world: Any) -> None:
        register(control)
        assert control.tell_memory(A, "Memory ran out.") is True
        assert control.tell_memory(B, "Memory ran out.") is False
        assert world["registry"].get(A).memory == "Memory ran out."

    with_gateway(tmp_path, calls)


def test_the_gateway_is_asked_which_sessions_compute(tmp_path: Path) -> None:
    def calls(control: GatewayControl, _world: Any) -> None:
        register(control)
        assert control.at_work([A, B], 60) == [A]

    with_gateway(tmp_path, calls)


def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path) -> None:
    def calls(control: GatewayControl, _world: Any) -> None:
        with pytest.raises(Invalid, match="32 hexadecimal"):
            register(control, "x")
        with pytest.raises(Invalid, match="not understood"):
            control._call("POST", "/leases", {"seconds": 1})
        with pytest.raises(NotFound, match="no incident"):
            control.decide_incident(A, go_on=True, actor="stella")
        with pytest.raises(Invalid, match="body size 1048576"):
            control.renew(["x" * (1 << 20)], 1)

    with_gateway(tmp_path, calls)


def test_a_gateway_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="enclave run"):
        GatewayControl(tmp_path / "gateway.sock").sessions()


def spend_all(world: Any) -> None:
    session = world["registry"].get(A)

    async def spend() -> None:
        with pytest.raises(Paused):
            world["budgets"].spend(session, 5000, "display_data", "secret.csv")

    asyncio.run_coroutine_threadsafe(spend(), world["loop"]).result(30)


@pytest.mark.parametrize("go_on", [True, False])
def test_a_steward_decides_on_an_incident(tmp_path: Path, go_on: bool) -> None:
    def calls(control: GatewayControl, world: Any) -> None:
        register(control)
        spend_all(world)
        control.decide_incident(A, go_on=go_on, actor="stella")
        with reading(world["engine"]) as db:
            (incident,) = db.scalars(select(Incident)).all()
            acts = [entry.body for entry in db.scalars(select(AuditEntry))]
        assert (incident.state, incident.decided_by) == ("continued" if go_on else "ended", "stella")
        assert incident.flow[0] == {"what": "display_data", "count": 1, "bytes": 5000, "largest": 5000}
        assert "budget:exceeded" in acts[0]
        assert "incident:decided" in acts[1]
        assert len(control.sessions()) == (1 if go_on else 0)
        if go_on:
            assert control.sessions()[0]["level"] == "fine"

    with_gateway(tmp_path, calls)


def test_incidents_near_in_time_are_one_and_a_restart_forgets_neither_pause_nor_bytes(tmp_path: Path) -> None:
    def calls(control: GatewayControl, world: Any) -> None:
        register(control)
        spend_all(world)
        asyncio.run_coroutine_threadsafe(world["book"].save(), world["loop"]).result(30)
        passed = Passed(A, "ana", "p17", 2, Level.Paused, "again", 9000, [])
        with writing(world["engine"]) as db:
            write_incident(db, passed)
        with reading(world["engine"]) as db:
            (incident,) = db.scalars(select(Incident)).all()
            assert incident.bytes == 9000
        registry = SessionRegistry()
        registry.register(live())
        budgets = Budgets(Settings().tiers, lambda *_: None)
        IncidentBook(world["engine"], budgets, registry).restore()
        again = registry.get(A)
        assert again is not None
        assert budgets.level(again) is Level.Paused
        assert budgets.meter("person:ana", 2).used == 5000

    with_gateway(tmp_path, calls)
