"""What is read from the database is the world that was written, and a policy with one wrong row is none."""

from __future__ import annotations

import gc
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from policy_database import new_database, policy_row, version_of, write_world
from policy_oracle import (
    ALWAYS,
    DAY,
    DUTY_ACTS,
    OWNERS,
    PEOPLE,
    PROJECTS,
    Collection,
    Human,
    Rule,
    Work,
    World,
    random_world,
    to_snapshot,
)
from sqlalchemy import text, update

from access_control import loading
from access_control import models as m
from access_control.database import reading, writing
from access_control.errors import Refused
from access_control.models import touch
from access_control.snapshot import load_duties, load_snapshot

ROOT = Path("/srv/enclave")
SMALL = World(
    people={"ana": Human(clearances=[(*ALWAYS, 3)], roles=[("lead", "project:p17", *ALWAYS)])},
    projects={"p17": Work()},
    datasets={"hiv": Collection(renditions={"full": 3})},
    rules=[Rule("AGR-1", projects=["p17"], data=["hiv"])],
)


@pytest.mark.parametrize("seed", range(12))
def test_a_world_comes_back_from_the_database_as_it_was_written(tmp_path: Path, seed: int) -> None:
    world = random_world(random.Random(seed))
    engine = new_database(tmp_path)
    write_world(engine, world)
    with reading(engine) as db:
        snapshot = load_snapshot(db, ROOT)
    expected = to_snapshot(world)
    assert snapshot.digest == expected.digest
    assert snapshot.change == 1
    for person in PEOPLE:
        assert snapshot.mounts(person, "p17", DAY) == expected.mounts(person, "p17", DAY)


@pytest.mark.parametrize("seed", range(6))
def test_reading_what_changed_ends_where_reading_everything_does(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    world, other = random_world(dice), random_world(dice)
    engine = new_database(tmp_path)
    write_world(engine, world)
    with reading(engine) as db:
        snapshot = load_snapshot(db, ROOT)
    with writing(engine) as db:
        for row in db.query(m.PolicyRow).all():
            if dice.random() < 0.5:
                db.delete(row)
            elif dice.random() < 0.5:
                row.until = DAY
        db.flush()
        for number, rule in enumerate(other.rules):
            rule.id = f"NEW-{number}"
            db.add(policy_row(rule))
        touch(db)
    with reading(engine) as db:
        updated, whole = load_snapshot(db, ROOT, snapshot), load_snapshot(db, ROOT)
    assert updated.digest == whole.digest
    assert updated.rows._tables == whole.rows._tables
    with reading(engine) as db:
        assert load_snapshot(db, ROOT, updated).rows.by_id == whole.rows.by_id


def test_an_agreement_travels_with_its_row(tmp_path: Path) -> None:
    engine = new_database(tmp_path)
    write_world(engine, SMALL)
    with writing(engine) as db:
        db.execute(update(m.PolicyRow).values(agreement_id="AGR-0001"))
    with reading(engine) as db:
        (mount,) = load_snapshot(db, ROOT).mounts("ana", "p17", DAY)
    assert mount.agreement_id == "AGR-0001"


@pytest.mark.parametrize(
    ("column", "value", "error"),
    [
        ("eft", "Deny", "line 1: AGR-1: effect 'Deny' must be 'allow' or 'deny'"),
        ("eft", "deny ", "effect 'deny ' must be 'allow' or 'deny'"),
        ("role", "admin", "an allow row is for the role 'researcher' or 'lead', not 'admin'"),
        ("role", "anyone", "an allow row is for the role 'researcher' or 'lead', not 'anyone'"),
        ("act", "any", "an allow row may only have the act 'mount', not 'any'"),
        ("act", "review", "an allow row may only have the act 'mount', not 'review'"),
        ("data", "output", "an allow row names data such as 'data:hiv' or 'any', not 'output'"),
        ("project", "", "project is blank (write 'any' where everything is meant)"),
        ("project", "p17", "project 'p17' must be 'any' or names such as 'project:p17'"),
        ("data", "data:hiv|any", "mixes 'any' with alternatives"),
        ("purpose", "True) or (True", "purpose 'True) or (True' must be"),
        ("start", "tomorrow", "start 'tomorrow' must be a day such as '2026-01-31'"),
        ("until", "2019-12-31", "it ends on 2019-12-31, before it starts on 2020-01-01"),
        ("until", "2026-02-30", "until '2026-02-30' is no day of the calendar"),
        ("id", "STANDING-REVIEW", "a row of that id is already in force"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_one_wrong_row_closes_the_whole_policy(
    tmp_path: Path, column: str, value: str, error: str, whole: bool
) -> None:
    engine = new_database(tmp_path)
    write_world(engine, SMALL)
    with reading(engine) as db:
        before = load_snapshot(db, ROOT)
    with writing(engine) as db:
        db.execute(text(f"UPDATE policy_rows SET {column} = :value"), {"value": value})
    with reading(engine) as db, pytest.raises(Refused) as refused:
        load_snapshot(db, ROOT, None if whole else before)
    assert "nothing is allowed" in str(refused.value)
    assert error in str(refused.value)


@pytest.mark.parametrize("path", ["/etc", "../etc", "renditions/../../etc", ""])
def test_a_version_outside_the_data_root_is_never_mounted(tmp_path: Path, path: str) -> None:
    engine = new_database(tmp_path)
    write_world(engine, SMALL)
    with writing(engine) as db:
        db.execute(update(m.RenditionVersion).values(path=path))
    with reading(engine) as db:
        assert load_snapshot(db, ROOT).mounts("ana", "p17", DAY) == []


@pytest.mark.parametrize("state", ["withdrawn", "altered", "draft"])
def test_only_published_versions_are_mounted(tmp_path: Path, state: str) -> None:
    engine = new_database(tmp_path)
    write_world(engine, SMALL)
    with writing(engine) as db:
        db.add(version_of("hiv/full", 2, state=state))
        db.add(version_of("hiv/full", 3))
        db.add(version_of("hiv/full", 4, state=state))
    with reading(engine) as db:
        assert [mount.version for mount in load_snapshot(db, ROOT).mounts("ana", "p17", DAY)] == [3]


def test_an_empty_policy_allows_nothing(tmp_path: Path) -> None:
    engine = new_database(tmp_path)
    write_world(engine, World(people=SMALL.people, projects=SMALL.projects, datasets=SMALL.datasets))
    with reading(engine) as db:
        snapshot = load_snapshot(db, ROOT)
    assert snapshot.mounts("ana", "p17", DAY) == []
    assert not snapshot.decide("ana", "p17", "hiv/full", "mount", DAY).allowed


def test_a_database_without_a_row_at_all_allows_nothing(tmp_path: Path) -> None:
    with reading(new_database(tmp_path)) as db:
        snapshot = load_snapshot(db, ROOT)
    assert (snapshot.number, snapshot.change) == (0, 0)
    assert not snapshot.may("ana", "administer", DAY).allowed


def test_a_commit_between_the_selects_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_world(engine := new_database(tmp_path), SMALL)
    seen = iter([1, 2, 2, 2])
    monkeypatch.setattr("access_control.snapshot.read_change", lambda _db: next(seen))
    with reading(engine) as db:
        assert load_snapshot(db, ROOT).change == 2
    endless = iter(range(100))
    monkeypatch.setattr("access_control.snapshot.read_change", lambda _db: next(endless))
    with reading(engine) as db, pytest.raises(Refused, match="changed five times"):
        load_snapshot(db, ROOT)


@pytest.mark.parametrize("damage", ["", "id,eft\n", "id,eft,role,project,data,act,purpose,region,start,until\n", None])
def test_damaged_standing_rows_stop_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str | None
) -> None:
    path = tmp_path / "standing.csv"
    if damage is not None:
        path.write_text(damage)
    monkeypatch.setattr(loading, "STANDING", path)
    loading.standing_rows.cache_clear()
    try:
        with pytest.raises(Refused, match=r"standing\.csv"):
            loading.standing_rows()
    finally:
        loading.standing_rows.cache_clear()


@pytest.mark.parametrize("seed", range(8))
def test_duties_read_for_one_person_are_those_of_the_whole_snapshot(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    write_world(engine := new_database(tmp_path), random_world(dice))
    with reading(engine) as db:
        whole = load_snapshot(db, ROOT)
        for person in PEOPLE:
            duties = load_duties(db, person)
            for act in DUTY_ACTS:
                context = {
                    "project": dice.choice([None, *PROJECTS]),
                    "owner": dice.choice([None, *OWNERS]),
                    "author": dice.choice([None, *PEOPLE]),
                }
                assert duties.may(person, act, DAY, **context) == whole.may(person, act, DAY, **context)
            others = [other for other in PEOPLE if other != person]
            assert not any(duties.may(other, "audit", DAY).allowed for other in others)


def test_a_wrong_row_closes_duties_too(tmp_path: Path) -> None:
    write_world(engine := new_database(tmp_path), SMALL)
    with writing(engine) as db:
        db.execute(text("UPDATE policy_rows SET eft = 'Deny'"))
    with reading(engine) as db, pytest.raises(Refused, match="effect 'Deny' must be 'allow' or 'deny'"):
        load_duties(db, "ana")


def test_what_the_transaction_has_changed_is_seen(tmp_path: Path) -> None:
    write_world(engine := new_database(tmp_path), SMALL)
    with writing(engine) as db:
        assert not load_duties(db, "ana").may("ana", "audit", DAY).allowed
        db.add(m.Role(person_id="ana", role="auditor", domain="*", start=ALWAYS[0], until=ALWAYS[1], source="x"))
        assert load_duties(db, "ana").may("ana", "audit", DAY).allowed
        assert load_snapshot(db, ROOT).may("ana", "audit", DAY).allowed


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE clearances SET until = '31/12/2026'",
        "UPDATE roles SET start = ''",
        "UPDATE projects SET until = 'never'",
        "UPDATE datasets SET embargo_until = '06/01/2030'",
        "UPDATE datasets SET permitted_use = '{}'",
        "UPDATE projects SET purposes = 'cancer'",
        "UPDATE projects SET purposes = '[1]'",
    ],
)
def test_a_fact_that_cannot_be_read_closes_everything(tmp_path: Path, statement: str) -> None:
    write_world(engine := new_database(tmp_path), SMALL)
    with writing(engine) as db:
        db.execute(text(statement))
    with reading(engine) as db, pytest.raises(Refused, match="nothing is allowed"):
        load_snapshot(db, ROOT)


def test_the_collector_is_as_it_was_after_a_reading():
    with loading.collector_at_rest():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with loading.collector_at_rest():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_was_read_is_long_lived_at_once_and_what_was_frozen_before_stays_frozen():
    with loading.collector_at_rest():
        made = [[] for _ in range(1_000)]
    assert gc.get_freeze_count() == 0
    assert {id(one) for one in made} <= {id(one) for one in gc.get_objects(generation=2)}
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        with loading.collector_at_rest():
            pass
        assert gc.get_freeze_count() == before
    finally:
        gc.unfreeze()
