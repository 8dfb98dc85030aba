from egress_world import World

from egress_review import freezing, reminders
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
    (reminder,) = due(world)
    assert (reminder.kind, reminder.people) == ("escalate", ["lou"])
    assert "is in review for" in reminder.sentence


def test_the_author_is_reminded_of_changes(world: World) -> None:
    request_id = world.submitted()
    for person in ("sam", "sue"):
        world.vote(request_id, person, "changes")
    world.wait(hours=500)
    (reminder,) = due(world)
    assert (reminder.kind, reminder.people, reminder.state) == ("remind", ["ana"], State.ChangesAsked)


def test_what_is_frozen_waits_for_the_lead(world: World) -> None:
    world.submitted()
    world.do(freezing.freeze_for, {"hiv"}, reason="over")
    world.wait(hours=50)
    (reminder,) = due(world)
    assert reminder.people == ["lou"]
