from datetime import UTC, timedelta
from pathlib import Path

import pytest
from lifecycle_world import LATER, NOON, ROOT, TODAY, World
from sqlalchemy import select

from access_control import agreements, dataset_facts, grants, history, people, policy_changes, projects
from access_control.audit import Act, record
from access_control.errors import Invalid, NotFound
from access_control.models import RenditionVersion, SessionRecord
from access_control.settings import Settings


def could(world: World, hours: float = 0, dataset: str = "hiv") -> list[tuple[str, str]]:
    found = world.ask(history.who_could, dataset, NOON + timedelta(hours=hours), data_root=ROOT)
    return [(row.person, row.rendition) for row in found]


BOTH = [("ana", "hiv/pseudonymised"), ("lea", "hiv/pseudonymised")]


def test_the_past_is_decided_with_the_policy_of_its_time(world: World) -> None:
    world.at += timedelta(hours=1)
    world.active_agreement()
    world.at += timedelta(hours=1)
    world.do(policy_changes.withdraw_dataset, "hiv", reason="a question", actor="sam")
    world.at += timedelta(hours=1)
    assert (could(world, 0), could(world, 1.5), could(world, 2.5)) == ([], BOTH, [])
    [first, _] = world.ask(history.who_could, "hiv", NOON + timedelta(hours=1), data_root=ROOT)
    assert (first.project, first.row_id, first.agreement_id) == ("p17", "AGR-0001.1", "AGR-0001")


def test_each_fact_is_wound_back_to_its_moment_within_the_day(world: World) -> None:
    world.active_agreement()
    steps = [
        lambda: world.do(people.suspend_person, "ana", reason="x", actor="eve"),
        lambda: world.do(
            grants.approve_grant,
            world.do(grants.propose_reinstatement, "ana", reason="x", actor="eve").id,
            actor="adam",
        ),
        lambda: world.do(people.lower_clearance, "ana", level=0, reason="x", actor="eve"),
        lambda: world.do(people.remove_role, "lea", role="lead", domain="project:p17", reason="x", actor="eve"),
        lambda: world.do(
            people.grant_role, "olga", role="researcher", domain="project:p17", start=TODAY, until=LATER, source="x"
        ),
        lambda: world.do(people.set_clearance, "olga", level=4, start=TODAY, until=LATER, source="x"),
        lambda: world.do(projects.set_project_state, "p17", "suspended", reason="x", actor="eve"),
    ]
    for step in steps:
        world.at += timedelta(hours=1)
        step()
    ana, lea, olga = ((who, "hiv/pseudonymised") for who in ("ana", "lea", "olga"))
    world.at += timedelta(hours=1)
    told = [could(world, hours + 0.5) for hours in range(8)]
    assert told == [[ana, lea], [lea], [ana, lea], [lea], [], [], [olga], []]
    assert could(world, 0) == BOTH


def test_a_version_taken_out_of_use_since_was_there_before(world: World) -> None:
    world.active_agreement()
    world.at += timedelta(hours=1)

    def spoil(db):
        version = db.scalars(select(RenditionVersion).where(RenditionVersion.rendition_id == "hiv/pseudonymised")).one()
        version.state = "altered"
        details = {"version": version.number, "project": None}
        record(db, Act.DatasetAltered, actor="<spawner>", subject="rendition:hiv/pseudonymised", details=details)

    world.do(spoil)
    assert world.sees("ana") == []
    assert (could(world, 0.5), could(world, 1)) == (BOTH, [])


def test_a_dataset_that_was_of_another_tier_is_decided_by_that(world: World, tmp_path: Path) -> None:
    world.active_agreement()
    world.at += timedelta(hours=1)
    changed = {"tier": 3, "embargo_until": LATER}
    settings = Settings(data_root=tmp_path)
    world.do(dataset_facts.change_dataset, settings, "hiv", changed, actor="sam", reason="a new assessment")
    assert world.sees("ana") == []
    assert (could(world, 0.5), could(world, 1)) == (BOTH, [])


def test_before_the_data_came_nobody_could(world: World) -> None:
    world.active_agreement()
    assert could(world, -1) == []


def test_asking_changes_nothing(world: World) -> None:
    world.active_agreement()
    before = (world.log(), world.sees("ana"))
    could(world)
    assert (world.log(), world.sees("ana")) == before


def test_the_future_and_the_unknown_are_refused(world: World) -> None:
    with pytest.raises(Invalid, match="yet to come"):
        could(world, 1)
    with pytest.raises(Invalid, match="zone"):
        world.ask(history.who_could, "hiv", NOON.replace(tzinfo=None))
    with pytest.raises(NotFound, match="no dataset 'tax'"):
        could(world, 0, "tax")


def test_accesses_tell_who_had_what_and_under_which_agreement(world: World) -> None:
    world.active_agreement()
    record = world.session("ana")
    world.at += timedelta(hours=2)

    def end(db):
        row = db.get(SessionRecord, record.id)
        row.state, row.ended_at = "ended", world.at

    world.do(end)
    [access] = world.ask(history.accesses, "hiv")
    assert (access.person, access.project, access.rendition, access.version) == ("ana", "p17", "hiv/pseudonymised", 1)
    assert (access.agreement_id, access.started_at, access.ended_at) == ("AGR-0001", NOON, world.at)
    assert access.started_at.tzinfo is UTC
    assert world.ask(history.accesses, "pay") == []
    assert world.ask(history.accesses, "hiv", since=NOON + timedelta(hours=3)) == []
    assert world.ask(history.accesses, "hiv", until=NOON - timedelta(hours=1)) == []
    assert len(world.ask(history.accesses, "hiv", since=NOON + timedelta(hours=1), until=world.at)) == 1


def test_a_dataset_whose_name_another_begins_with_is_told_apart(world: World) -> None:
    world.active_agreement()
    world.session("ana")
    world.do(
        lambda db: db.add(history.Dataset(id="hi", title="Hi", owner_id="acme", tier=0)),
    )
    assert world.ask(history.accesses, "hi") == []


def test_policy_versions_are_compared(world: World) -> None:
    world.active_agreement()
    world.do(policy_changes.withdraw_dataset, "pay", reason="x", actor="gil")
    world.do(agreements.withdraw_agreement, "AGR-0001", reason="over", actor="lea")
    diff = world.ask(history.policy_diff, 0, 1)
    assert [row["id"] for row in diff.added] == ["AGR-0001.1"]
    diff = world.ask(history.policy_diff, 1, 3)
    ids = ([row["id"] for row in diff.added], [row["id"] for row in diff.removed], diff.changed)
    assert ids == (["WDR-0001"], ["AGR-0001.1"], [])
    with pytest.raises(NotFound, match="no policy version 9"):
        world.ask(history.policy_diff, 0, 9)
