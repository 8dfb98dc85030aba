"""What is told to whom: requests, agreements that end, trainings that end."""

from datetime import timedelta

from egress_world import LATER, TODAY, World

from access_control import people
from access_control.renewals import renew_agreement
from hub.notices import due


def found(world: World, kind: str) -> list[due.Due]:
    return [each for each in world.ask(due.due, world.settings) if each.kind == kind]


def test_an_agreement_that_ends_is_told_to_those_who_can_renew_it(world: World) -> None:
    assert found(world, "agreement") == []
    world.wait(days=340)
    (ending,) = found(world, "agreement")
    assert ending.page == f"access/agreements/{ending.subject.removeprefix('agreement:')}"
    assert str(LATER) in ending.sentence
    assert ending.people == ("lea", "lou", "sam", "sid", "sue")
    world.do(renew_agreement, ending.subject.removeprefix("agreement:"), until=LATER + timedelta(days=300), actor="sam")
    assert found(world, "agreement") == []


def test_a_training_that_ends_is_told_to_whoever_took_it(world: World) -> None:
    def take(until: int) -> None:
        world.do(
            people.record_training, "ana", course="safe-researcher", start=TODAY,
            until=TODAY + timedelta(days=until), source="card", actor="eve",
        )  # fmt: skip

    take(40)
    assert found(world, "training") == []
    world.wait(days=20)
    (ending,) = found(world, "training")
    assert ending.people == ("ana",)
    take(400)
    assert found(world, "training") == []


def test_a_person_sees_what_concerns_them(world: World) -> None:
    request_id = world.submitted()
    world.wait(hours=60)
    assert [each.subject for each in world.ask(due.due_for, world.settings, "sam")] == [f"request:{request_id}"]
    assert world.ask(due.due_for, world.settings, "ana") == []


def test_ages_are_whole_hours_or_days() -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 6, 10, tzinfo=UTC)
    ages = {hours: due.age(now - timedelta(hours=hours), now) for hours in (-5, 1, 47, 48, 71, 72)}
    assert ages == {-5: "0 hours", 1: "1 hours", 47: "47 hours", 48: "2 days", 71: "2 days", 72: "3 days"}
