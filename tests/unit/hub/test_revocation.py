"""The warden's decisions and rounds, over a real database and policy, without Docker's being asked."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from access_control import clock, models
from access_control.audit import AuditEntry
from access_control.database import reading, writing
from access_control.errors import Refused
from access_control.settings import Settings
from hub import prepare
from hub.revocation import decide, running
from hub.warden import Warden, Watch, run

START, UNTIL = date(2020, 1, 1), date(2090, 1, 1)
A = "a" * 32


class Room:
    """Remembers which containers it was told to remove; Docker itself is in tests/integration."""

    def __init__(self) -> None:
        self.removed: list[str] = []
        self.broken = False

    def connect(self) -> None:
        """There is nothing to connect to."""

    def out_of_memory(self) -> Iterator[str]:
        """Nothing runs out of memory here; tests/redteam/test_memory_exhaustion.py has what does."""
        return iter(())

    def remove(self, container: str) -> None:
        if self.broken:
            raise Refused("Docker Engine does not answer.")
        self.removed.append(container)


class Control:
    def __init__(self) -> None:
        self.cuts: list[tuple[str, str]] = []
        self.renewed: list[list[str]] = []
        self.rows: list[dict[str, Any]] = []
        self.warnings: list[tuple[str, str, float]] = []
        self.warns = True
        self.computing: list[str] = []

    def warn(self, warnings: dict[str, tuple[str, float]]) -> list[str]:
        if not self.warns:
            raise Refused("The gateway does not answer.")
        self.warnings += [(session, *told) for session, told in warnings.items()]
        return list(warnings)

    def at_work(self, ids: list[str], _seconds: float) -> list[str]:
        return [session for session in ids if session in self.computing]

    def cut_many(self, reasons: dict[str, str]) -> list[str]:
        self.cuts += reasons.items()
        return list(reasons)

    def renew(self, ids: list[str], _seconds: float) -> None:
        self.renewed.append(list(ids))

    def sessions(self) -> list[dict[str, Any]]:
        return self.rows


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    settings = Settings(data_root=tmp_path / "data")
    made, _ = prepare.prepare(settings)
    with writing(made) as db:
        db.add(models.Organisation(id="acme", title="Acme", region="EU"))
        db.add(models.Person(id="ana", name="Ana", email="a@acme.example", affiliation="acme", region="EU"))
        db.flush()
        facts: dict[str, Any] = {"person_id": "ana", "start": START, "until": UNTIL, "source": "test"}
        db.add(models.Clearance(level=3, accredited_by="stella", **facts))
        db.add(models.Project(id="p17", title="P", tier=1, region="EU", purposes=["quality"], state="active",
                              start=START, until=UNTIL))  # fmt: skip
        db.add(models.Role(role="researcher", domain="project:p17", **facts))
        db.add(models.SessionRecord(id=A, person_id="ana", project_id="p17", tier=1, state="running", container="c1",
                                    socket="/run/s", mounts=[], started_at=clock.now()))  # fmt: skip
        models.touch(db)
    yield made
    made.dispose()


@pytest.fixture
def warden(engine: Engine, tmp_path: Path) -> Iterator[Warden]:
    tiers = {number: tier.model_copy(update={"warning_seconds": 0}) for number, tier in Settings().tiers.items()}
    settings = Settings(data_root=tmp_path / "data").model_copy(update={"tiers": tiers})
    made = Warden(settings, engine, Room())  # type: ignore[arg-type]
    made.control = Control()  # type: ignore[assignment]
    yield made
    made.close()


def change(engine: Engine, statement: Any) -> None:
    with writing(engine) as db:
        db.execute(statement)
        models.touch(db)


def acts(engine: Engine) -> list[str]:
    with reading(engine) as db:
        return [entry.body for entry in db.scalars(select(AuditEntry).order_by(AuditEntry.seq))]


def test_a_session_that_holds_is_renewed(warden: Warden) -> None:
    assert warden.look() == []
    assert warden.control.renewed == [[A]]  # type: ignore[attr-defined]


CHANGES = {
    "role over": update(models.Role).values(until=date(2020, 1, 2)),
    "person suspended": update(models.Person).values(suspended=True),
    "project suspended": update(models.Project).values(state="suspended"),
    "project over": update(models.Project).values(until=date(2020, 1, 2)),
    "project's tier changed": update(models.Project).values(tier=2),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_no_longer_holds_is_cut_written_down_and_ended(warden: Warden, engine: Engine, name: str) -> None:
    warden.look()
    change(engine, CHANGES[name])
    (lost,) = warden.look()
    warden.wait()
    assert warden.control.cuts == [(A, lost.reason)]  # type: ignore[attr-defined]
    assert warden.room.removed == ["c1"]  # type: ignore[attr-defined]
    with reading(engine) as db:
        record = db.get(models.SessionRecord, A)
        assert record is not None
        assert (record.state, record.reason) == ("ended", lost.reason)
    written = [body for body in acts(engine) if A in body]
    assert "session:cut" in written[0]
    assert "session:stopped" in written[1]
    warden.look()
    assert warden.control.renewed[-1] == []  # type: ignore[attr-defined]


@pytest.fixture
def gentle(engine: Engine, tmp_path: Path) -> Iterator[Warden]:
    """A warden with the tiers as they are set by default: 0 and 1 are warned."""
    made = Warden(Settings(data_root=tmp_path / "data"), engine, Room())  # type: ignore[arg-type]
    made.control = Control()  # type: ignore[assignment]
    yield made
    made.close()


def test_a_low_tier_is_warned_once_and_ends_when_its_seconds_are_over(gentle: Warden, engine: Engine) -> None:
    change(engine, CHANGES["role over"])
    assert gentle.look() == []
    assert gentle.look() == []
    ((session, reason, seconds),) = gentle.control.warnings  # type: ignore[attr-defined]
    assert (session, seconds) == (A, gentle.settings.tiers[1].warning_seconds)
    assert gentle.control.cuts == []  # type: ignore[attr-defined]
    assert gentle.control.renewed[-1] == [A]  # type: ignore[attr-defined]
    assert gentle.next_cut < time.monotonic() + seconds
    gentle._warned[A] = (time.monotonic(), gentle._warned[A][1])
    (lost,) = gentle.look()
    assert (lost.reason, lost.warned) == (reason, seconds)
    gentle.wait()
    assert gentle.room.removed == ["c1"]  # type: ignore[attr-defined]
    assert '"warned_seconds":5' in next(body for body in acts(engine) if "session:cut" in body)
    gentle.look()
    assert gentle.next_cut == math.inf


def test_a_grant_that_comes_back_does_not_undo_a_warning(gentle: Warden, engine: Engine) -> None:
    change(engine, CHANGES["project suspended"])
    gentle.look()
    change(engine, update(models.Project).values(state="active"))
    assert gentle.look() == []
    gentle._warned[A] = (time.monotonic(), gentle._warned[A][1])
    assert [lost.session.id for lost in gentle.look()] == [A]
    gentle.wait()


@pytest.mark.parametrize("name", ["person suspended", "project's tier changed"])
def test_a_suspended_person_and_a_higher_tier_are_cut_at_once(gentle: Warden, engine: Engine, name: str) -> None:
    change(engine, CHANGES[name])
    (lost,) = gentle.look()
    assert lost.warned == 0
    assert gentle.control.warnings == []  # type: ignore[attr-defined]
    gentle.wait()


@pytest.mark.parametrize("tier", [2, 3, 4])
def test_no_session_above_tier_1_is_warned(gentle: Warden, engine: Engine, tier: int) -> None:
    change(engine, update(models.Project).values(tier=tier))
    change(engine, update(models.SessionRecord).values(tier=tier))
    change(engine, CHANGES["role over"])
    assert len(gentle.look()) == 1
    assert gentle.control.warnings == []  # type: ignore[attr-defined]
    gentle.wait()


def test_data_of_a_higher_tier_is_never_kept_for_a_warning(gentle: Warden, engine: Engine) -> None:
    mount = {"dataset_id": "hiv", "rendition": "hiv/full", "version": 1, "source": "/x", "target": "/data/hiv", "files": {},
             "row_id": "AGR-0001.1", "agreement_id": "AGR-0001", "tier": 2, "reason": "r"}  # fmt: skip
    change(engine, update(models.SessionRecord).values(mounts=[mount]))
    assert len(gentle.look()) == 1
    gentle.wait()


def test_whoever_cannot_be_warned_is_cut_at_once(gentle: Warden, engine: Engine) -> None:
    gentle.control.warns = False  # type: ignore[attr-defined]
    change(engine, CHANGES["role over"])
    assert len(gentle.look()) == 1
    gentle.wait()


def test_tiers_above_1_cannot_be_set_to_warn() -> None:
    tiers = {number: tier.model_dump() for number, tier in Settings().tiers.items()}
    tiers[2]["warning_seconds"] = 1
    with pytest.raises(ValueError, match=r"tiers\.2\.warning_seconds must be 0"):
        Settings.model_validate({"tiers": tiers})


def test_twenty_end_together_in_few_transactions(warden: Warden, engine: Engine) -> None:
    with writing(engine) as db:
        for n in range(20):
            db.add(models.SessionRecord(id=f"{n:032x}", person_id="ana", project_id="p17", tier=1, state="running",
                                        container=f"n{n}", socket="/run/s", mounts=[], started_at=clock.now()))  # fmt: skip
    change(engine, CHANGES["person suspended"])
    assert len(warden.look()) == 21
    warden.wait()
    assert len(warden.room.removed) == 21  # type: ignore[attr-defined]
    written = acts(engine)
    assert sum("session:cut" in body for body in written) == sum("session:stopped" in body for body in written) == 21


def test_an_idle_session_is_ended_but_not_while_it_computes(warden: Warden) -> None:
    row = {"id": A, "idle_seconds": 3601.0}
    warden.control.rows = [row]  # type: ignore[attr-defined]
    warden.control.computing = [A]  # type: ignore[attr-defined]
    assert warden.cull_idle() == []
    row["idle_seconds"] = 24 * 3600 + 1.0  # what the session says of itself counts no longer
    assert warden.cull_idle() == [A]
    warden.wait()


def test_an_idle_session_in_which_nothing_computes_is_ended(warden: Warden) -> None:
    warden.control.rows = [{"id": A, "idle_seconds": 3601.0}]  # type: ignore[attr-defined]
    assert warden.cull_idle() == [A]
    warden.wait()


def test_a_mount_that_was_withdrawn_ends_the_session(warden: Warden, engine: Engine) -> None:
    mount = {"dataset_id": "hiv", "rendition": "hiv/full", "version": 1, "source": "/x", "target": "/data/hiv", "files": {},
             "row_id": "AGR-0001.1", "agreement_id": "AGR-0001", "tier": 1, "reason": "r"}  # fmt: skip
    change(engine, update(models.SessionRecord).values(mounts=[mount]))
    (lost,) = warden.look()
    assert lost.renditions == ("hiv/full",)
    assert "hiv/full" in lost.reason
    warden.wait()


def test_a_container_that_does_not_go_is_tried_again(warden: Warden, engine: Engine) -> None:
    change(engine, CHANGES["role over"])
    warden.room.broken = True  # type: ignore[attr-defined]
    warden.look()
    warden.wait()
    with reading(engine) as db:
        assert [session.id for session in running(db)] == [A]
    warden.room.broken = False  # type: ignore[attr-defined]
    warden.look()
    warden.wait()
    with reading(engine) as db:
        assert running(db) == []


def test_without_a_decision_no_lease_is_renewed(warden: Warden, engine: Engine) -> None:
    warden.look()
    change(engine, update(models.ChangeCount).values(number=models.ChangeCount.number + 1))
    with writing(engine) as db:
        db.execute(models.Clearance.__table__.insert().values(  # type: ignore[attr-defined]
            person_id="ana", level=2, start=START, until=UNTIL, accredited_by="x", source="overlaps"))  # fmt: skip
        db.add(models.PolicyRow(id="ROL-9", eft="perhaps", role="x", project="x", data="x", act="x", purpose="x", region="x",
                                start=START, until=UNTIL))  # fmt: skip
        models.touch(db)
    with pytest.raises(Refused):
        warden.look()
    assert warden.control.renewed == [[A]]  # type: ignore[attr-defined]


def test_idle_sessions_are_culled(warden: Warden, engine: Engine) -> None:
    warden.control.rows = [{"id": A, "idle_seconds": 10.0}]  # type: ignore[attr-defined]
    assert warden.cull_idle() == []
    warden.control.rows = [{"id": A, "idle_seconds": 60 * 60 + 1.0}]  # type: ignore[attr-defined]
    assert warden.cull_idle() == [A]
    warden.wait()
    with reading(engine) as db:
        record = db.get(models.SessionRecord, A)
        assert record is not None
        assert "60 minutes" in record.reason


def test_the_watch_sees_a_commit_and_nothing_else(engine: Engine) -> None:
    watch = Watch(engine)
    assert watch.changed()
    assert not watch.changed()
    change(engine, CHANGES["role over"])
    assert watch.changed()
    assert not watch.changed()
    watch.close()


def test_the_loop_ends_a_session_after_a_commit(warden: Warden, engine: Engine) -> None:
    stop, removed = threading.Event(), threading.Event()
    warden.room.remove = lambda _container: removed.set()  # type: ignore[method-assign]
    thread = threading.Thread(target=run, args=(warden, stop))
    thread.start()
    try:
        change(engine, CHANGES["person suspended"])
        assert removed.wait(60)
    finally:
        stop.set()
        thread.join(60)
    assert (warden.settings.audit / "checkpoints.jsonl").exists()


def test_a_person_who_is_gone_holds_nothing(warden: Warden, engine: Engine) -> None:
    with reading(engine) as db:
        (held,) = running(db)
    snapshot = warden.keeper.current()
    assert decide(snapshot, held, date(2026, 1, 1)) is None
    other = type(held)(**{**held.__dict__, "person": "nobody"})
    assert decide(snapshot, other, date(2026, 1, 1)) is not None
