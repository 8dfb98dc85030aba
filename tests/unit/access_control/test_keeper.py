"""The keeper: reads again when something changed, never answers wrong while it does, and forgets no day."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from policy_database import new_database, write_world
from policy_oracle import ALWAYS, DAY, Collection, Human, Rule, Work, World
from sqlalchemy import Engine, text, update

from access_control import clock
from access_control import models as m
from access_control.database import writing
from access_control.errors import Refused
from access_control.keeper import PolicyKeeper
from access_control.models import touch

ROOT = Path("/srv/enclave")
BOTH = ["ana", "bo"]


@pytest.fixture(autouse=True)
def on_the_day() -> Iterator[None]:
    clock.set_clock(lambda: datetime.combine(DAY, time(12), UTC))
    yield
    clock.set_clock(lambda: datetime.now(UTC))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = new_database(tmp_path)
    human = {"clearances": [(*ALWAYS, 3)], "roles": [("researcher", "project:p17", *ALWAYS)]}
    world = World(
        people={name: Human(**human) for name in BOTH},
        projects={"p17": Work(), "p1": Work()},
        datasets={"hiv": Collection(renditions={"full": 3}), "hi": Collection(renditions={"full": 1})},
        rules=[
            Rule("AGR-1", projects=["p17"], data=["hiv"]),
            Rule("AGR-2", projects=["p17"], data=["hi"], until=DAY),
        ],
    )
    write_world(engine, world)
    yield engine
    engine.dispose()


def seen(keeper: PolicyKeeper, day=DAY) -> list[str]:
    return [mount.rendition for mount in keeper.current().mounts("ana", "p17", day)]


def change(engine: Engine, statement) -> None:
    with writing(engine) as db:
        db.execute(statement)
        touch(db)


def test_it_keeps_the_snapshot_until_something_changes(engine: Engine) -> None:
    keeper = PolicyKeeper(engine, ROOT)
    first = keeper.current()
    assert keeper.current() is first
    change(engine, update(m.Person).where(m.Person.id == "ana").values(suspended=True))
    assert keeper.current() is not first
    assert seen(keeper) == []
    assert [mount.rendition for mount in first.mounts("ana", "p17", DAY)] == ["hi/full", "hiv/full"], "never changes"


@pytest.mark.parametrize(
    "statement",
    [
        update(m.PolicyRow).values(until=DAY - timedelta(days=1)),
        update(m.Clearance).values(until=DAY - timedelta(days=1)),
        update(m.Role).values(until=DAY - timedelta(days=1)),
        update(m.Project).values(state="suspended"),
        update(m.Project).values(tier=0),
        update(m.Dataset).values(required_trainings=["gdpr"]),
        update(m.Dataset).values(embargo_until=DAY),
        update(m.RenditionVersion).values(state="withdrawn"),
        update(m.Rendition).values(tier=4),
    ],
    ids=str,
)
def test_every_kind_of_fact_is_read_again(engine: Engine, statement) -> None:
    keeper = PolicyKeeper(engine, ROOT)
    assert seen(keeper) == ["hi/full", "hiv/full"]
    change(engine, statement)
    assert seen(keeper) == []


def test_a_policy_that_became_invalid_closes_and_a_corrected_one_opens(engine: Engine) -> None:
    keeper = PolicyKeeper(engine, ROOT)
    keeper.current()
    change(engine, text("UPDATE policy_rows SET eft = 'Allow' WHERE id = 'AGR-1'"))
    for _ in range(2):
        with pytest.raises(Refused, match="line 1: AGR-1: effect 'Allow' must be 'allow' or 'deny'"):
            keeper.current()
    change(engine, text("UPDATE policy_rows SET eft = 'allow' WHERE id = 'AGR-1'"))
    assert seen(keeper) == ["hi/full", "hiv/full"]


def test_a_database_that_is_gone_closes(engine: Engine) -> None:
    keeper = PolicyKeeper(engine, ROOT)
    keeper.current()
    with writing(engine) as db:
        db.execute(text("DROP TABLE change_count"))
    with pytest.raises(Refused, match="cannot be read, so nothing is allowed"):
        keeper.current()


def test_an_error_of_any_kind_closes(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args):
        raise KeyError("anything")

    monkeypatch.setattr("access_control.keeper.load_snapshot", broken)
    with pytest.raises(Refused, match="cannot be used, so nothing is allowed"):
        PolicyKeeper(engine, ROOT).current()


def test_a_clock_that_jumps_back_reopens_nothing(engine: Engine) -> None:
    keeper = PolicyKeeper(engine, ROOT)
    assert seen(keeper, clock.today()) == ["hi/full", "hiv/full"]
    clock.set_clock(lambda: datetime.combine(DAY + timedelta(days=1), time(0), UTC))
    assert seen(keeper, clock.today()) == ["hiv/full"], "AGR-2 ended yesterday"
    clock.set_clock(lambda: datetime.combine(DAY - timedelta(days=300), time(0), UTC))
    assert seen(keeper, clock.today()) == ["hiv/full"], "the clock jumped back, and AGR-2 stays closed"
    change(engine, update(m.Person).where(m.Person.id == "bo").values(suspended=True))
    assert seen(keeper, clock.today()) == ["hiv/full"], "and after reading again, too"
    decision = keeper.current().decide("ana", "p17", "hi/full", "mount", clock.today())
    assert decision.reason == "AGR-2 does not apply: it ended on 2026-06-01"


def test_asking_about_another_day_moves_no_clock(engine: Engine) -> None:
    keeper = PolicyKeeper(engine, ROOT)
    assert seen(keeper, DAY + timedelta(days=1000)) == ["hiv/full"]
    assert seen(keeper, DAY) == ["hi/full", "hiv/full"]


def test_no_wrong_answer_while_the_policy_is_exchanged(engine: Engine) -> None:
    """Threads ask while a writer swaps who sees what; AGR-1 and the deny change together, so one state is never seen."""
    keeper = PolicyKeeper(engine, ROOT)
    deny = m.PolicyRow(
        id="WDR-1", eft="deny", role="anyone", project="any", data="data:hi", act="any", purpose="any", region="any",
        start=ALWAYS[0], until=ALWAYS[1],
    )  # fmt: skip
    with writing(engine) as db:
        db.add(deny)
        touch(db)
    stop = threading.Event()
    wrong: list[object] = []
    asked: list[int] = []

    def ask() -> None:
        count = 0
        while not stop.is_set() or count == 0:
            try:
                snapshot = keeper.current()
                for person in BOTH:
                    hiv = snapshot.decide(person, "p17", "hiv/full", "mount", DAY).allowed
                    hi = snapshot.decide(person, "p17", "hi/full", "mount", DAY).allowed
                    never = snapshot.decide(person, "p1", "hi/full", "mount", DAY).allowed
                    if hiv is hi or never:
                        wrong.append((snapshot.change, person, hiv, hi, never))
            except Exception as error:
                wrong.append(error)
            count += 1
        asked.append(count)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(40):
        with writing(engine) as db:
            db.execute(
                update(m.PolicyRow)
                .where(m.PolicyRow.id == "AGR-1")
                .values(data="data:hi/full" if turn % 2 == 0 else "data:hiv")
            )
            db.execute(
                update(m.PolicyRow)
                .where(m.PolicyRow.id == "WDR-1")
                .values(data="data:hiv" if turn % 2 == 0 else "data:hi")
            )
            touch(db)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert len(asked) == 4
