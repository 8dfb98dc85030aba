import pytest
from egress_world import World

from egress_review import freezing, release, requests
from egress_review.errors import Invalid, NotPermitted, Refused, WrongState
from egress_review.states import State


def freeze(world: World, lost: set[str] | None, **where: str) -> list[str]:
    frozen: list[str] = world.do(freezing.freeze_for, lost, reason="the agreement ended", **where)
    return frozen


@pytest.mark.parametrize(
    ("lost", "where", "frozen"),
    [
        ({"hiv/full"}, {}, True),
        ({"hiv"}, {}, True),
        ({"pay/full"}, {}, False),
        (set(), {}, False),
        ({"hiv/full"}, {"project": "p18"}, False),
        ({"hiv/full"}, {"project": "p17", "person": "ana"}, True),
        ({"hiv/full"}, {"person": "lea"}, False),
        (None, {"person": "ana"}, True),
        (None, {"project": "p17"}, True),
    ],
)
def test_what_rests_on_the_lost_is_frozen(
    world: World, lost: set[str] | None, where: dict[str, str], frozen: bool
) -> None:
    request_id = world.submitted()
    assert freeze(world, lost, **where) == ([request_id] if frozen else [])
    assert world.state(request_id) is (State.Frozen if frozen else State.InReview)
    if frozen:
        assert freeze(world, lost, **where) == []
        with pytest.raises(WrongState, match="is frozen"):
            world.vote(request_id, "sam")


def test_everything_is_never_frozen_by_mistake(world: World) -> None:
    with pytest.raises(Invalid, match="Say what was lost"):
        freeze(world, None)


def test_a_frozen_release_gives_nothing_and_its_links_stay_dead(world: World) -> None:
    release_id = world.released()
    token = release.make_link(world.engine, world.settings, release_id, actor="ana")
    assert freeze(world, {"hiv/full"}) == ["REQ-0001"]
    with pytest.raises(Refused, match="is over"):
        release.redeem(world.engine, world.settings, token, actor="ana")
    with pytest.raises(WrongState, match="the agreement ended"):
        release.make_link(world.engine, world.settings, release_id, actor="ana")
    for person in ("ana", "sam", "lea"):
        with pytest.raises(NotPermitted):
            world.do(freezing.thaw, world.settings, "REQ-0001", actor=person, reason="please")
    world.do(freezing.thaw, world.settings, "REQ-0001", actor="lou", reason="renewed")
    assert world.state("REQ-0001") is State.Released
    with pytest.raises(Refused, match="is over"):
        release.redeem(world.engine, world.settings, token, actor="ana")
    token = release.make_link(world.engine, world.settings, release_id, actor="ana")
    release.redeem(world.engine, world.settings, token, actor="ana")


def test_a_freeze_between_votes_keeps_the_votes(world: World) -> None:
    request_id = world.submitted()
    world.vote(request_id, "sam")
    freeze(world, {"hiv"})
    assert requests.resume(world.engine, world.settings) == []
    assert world.state(request_id) is State.Frozen
    world.do(freezing.thaw, world.settings, request_id, actor="lou", reason="renewed")
    assert world.vote(request_id, "sue") is State.Released


def test_a_steward_may_freeze_one_request(world: World) -> None:
    request_id = world.submitted()
    with pytest.raises(NotPermitted):
        world.do(freezing.freeze, world.settings, request_id, actor="ana", reason="x")
    world.do(freezing.freeze, world.settings, request_id, actor="sam", reason="Asking the owner")
    assert world.request(request_id).reason == "Asking the owner"
    with pytest.raises(WrongState):
        world.do(freezing.thaw, world.settings, world.submitted(), actor="lou", reason="x")
