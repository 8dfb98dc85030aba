import pytest
from egress_world import World, plain_checker, plain_rewriter

from egress_review import requests, reviews, seeding
from egress_review.errors import NotFound, NotPermitted, Refused
from egress_review.states import State


def seed(world: World, actor: str = "lou", text: bytes = b"sex,n\nf,1\nm,135\n") -> str:
    return seeding.seed(
        world.engine, world.settings, project_id="p17", as_author="ana", title="Table 2", purpose="Paper",
        files={"t.csv": (text, "Counts by sex")}, why_unsafe="a count of 1", actor=actor, checker=plain_checker,
        rewriter=plain_rewriter,
    )  # fmt: skip


@pytest.mark.parametrize("person", ["sam", "ana", "eve", "gil"])
def test_only_a_lead_steward_seeds_and_sees_figures(world: World, person: str) -> None:
    with pytest.raises(NotPermitted):
        seed(world, person)
    with pytest.raises(NotPermitted):
        world.ask(seeding.calibration, world.settings, actor=person)


def test_a_seeded_request_looks_real_and_never_leaves(world: World) -> None:
    request_id = seed(world)
    assert [item.request.id for item in world.ask(reviews.queue, world.settings, reviewer="sam")] == [request_id]
    assert world.ask(requests.requests_of, "ana") == []
    with pytest.raises(NotFound):
        world.ask(reviews.view, world.settings, request_id, viewer="ana")
    with pytest.raises((NotFound, NotPermitted)):
        world.do(requests.withdraw, world.settings, request_id, actor="ana")
    world.vote(request_id, "sam")
    assert world.vote(request_id, "sue") is State.Rejected
    assert requests.resume(world.engine, world.settings) == []
    assert world.state(request_id) is State.Rejected
    with pytest.raises((NotFound, NotPermitted, Refused)):
        world.do(requests.appeal, world.settings, request_id, actor="ana", reason="x")
    assert any('"seeded":true' in body and '"actor":"lou"' in body for body in world.log())


def test_misses_agreement_and_time(world: World) -> None:
    request_id = seed(world)
    world.do(reviews.claim, world.settings, request_id, actor="sam")
    world.wait(seconds=90)
    world.vote(request_id, "sam")
    world.vote(request_id, "sue", "reject")
    world.vote(request_id, "sid", "reject")
    real = world.submitted()
    for person in ("sam", "sue"):
        world.vote(real, person)
    found = world.ask(seeding.calibration, world.settings, actor="lou")
    figures = {each.reviewer: each for each in found.reviewers}
    assert (figures["sam"].files, figures["sam"].seeded, figures["sam"].missed) == (2, 1, 1)
    assert (figures["sue"].missed, figures["sid"].files) == (0, 1)
    assert figures["sam"].seconds == 45
    assert (found.pairs, found.seeded, found.missed) == (4, 3, 1)
    assert found.agreement == 0.5
    assert found.kappa is not None
