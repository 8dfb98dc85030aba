from typing import NoReturn

import pytest
from egress_world import World

from access_control import people
from egress_review import freezing, reminders, requests
from egress_review.errors import Refused
from egress_review.states import State


def due(world: World) -> list[reminders.Reminder]:
    found: list[reminders.Reminder] = world.ask(reminders.due, world.settings)
    return found


def test_reviewers_are_reminded_and_then_their_lead(world: World) -> None:
    request_id = world.submitted()
    world.wait(hours=world.settings.egress.remind_hours - 1)
    assert due(world) == []
    world.wait(hours=1)
    (reminder,) = due(world)
    assert (reminder.kind, reminder.request_id) == ("remind", request_id)
    assert set(reminder.people) == {"lou", "sam", "sid", "sue"}
    world.wait(hours=world.settings.egress.escalate_hours)
    escalated, reminder = due(world)
    assert (escalated.kind, escalated.people) == ("escalate", ["lou"])
    assert reminder.people == ["lou", "sam", "sid", "sue"]
    assert "is in review for" in reminder.sentence


def test_whoever_has_voted_is_not_reminded(world: World) -> None:
    request_id = world.submitted()
    world.vote(request_id, "sam")
    world.wait(hours=60)
    (reminder,) = due(world)
    assert reminder.people == ["lou", "sid", "sue"]


def test_where_nobody_can_act_the_next_above_is_told(world: World) -> None:
    request_id = world.submitted()
    for person in ("sam", "sue", "sid", "lou"):
        world.do(people.suspend_person, person, reason="left", actor="eve")
    world.wait(hours=60)
    (reminder,) = due(world)
    assert (reminder.kind, reminder.people) == ("escalate", ["adam", "eve"])
    assert reminder.request_id == request_id


def test_checks_that_do_not_run_are_told_to_admins(world: World) -> None:
    request_id = world.draft({"a.csv": "k,n\r\nx,60\r\n"})

    def broken(*_: object, **__: object) -> NoReturn:
        raise Refused("no sandbox")

    with pytest.raises(Refused):
        requests.submit(world.engine, world.settings, request_id, actor="ana", checker=broken)
    world.wait(hours=60)
    (reminder,) = due(world)
    assert (reminder.kind, reminder.people, reminder.state) == ("remind", ["adam", "eve"], State.Checking)


def test_the_author_is_reminded_of_changes(world: World) -> None:
    request_id = world.submitted()
    world.wait(hours=40)
    for person in ("sam", "sue"):
        world.vote(request_id, person, "changes")
    world.wait(hours=40)
    assert due(world) == [], "the author has had 40 hours, not 80"
    world.wait(hours=460)
    (reminder,) = due(world)
    assert (reminder.kind, reminder.people, reminder.state) == ("remind", ["ana"], State.ChangesAsked)


def test_what_is_frozen_waits_for_the_lead(world: World) -> None:
    world.submitted()
    world.do(freezing.freeze_for, {"hiv"}, reason="over")
    world.wait(hours=50)
    (reminder,) = due(world)
    assert (reminder.kind, reminder.people) == ("remind", ["lou"])
    world.wait(hours=100)
    escalated, _ = due(world)
    assert (escalated.kind, escalated.people) == ("escalate", ["adam", "eve"])
