import pytest
from egress_world import World

from access_control import people
from egress_review import claims, reviews
from egress_review.errors import Invalid, NotFound, NotPermitted, WrongState
from egress_review.states import State

TWO = {"a.csv": "k,n\nx,50\ny,60\n", "b.csv": "j,n\nu,70\nv,80\n"}


def view(world: World, request_id: str, viewer: str) -> reviews.RequestView:
    with world.engine.connect() as _:
        found: reviews.RequestView = world.ask(reviews.view, world.settings, request_id, viewer=viewer)
        return found


@pytest.mark.parametrize(
    ("person", "says"),
    [
        ("ana", "You wrote this request"),
        ("lea", "You may not review"),
        ("gil", "You may not review"),
        ("eve", "You may not"),
    ],
)
def test_who_may_not_review(world: World, person: str, says: str) -> None:
    request_id = world.submitted()
    with pytest.raises(NotPermitted, match=says):
        world.vote(request_id, person)


def test_a_steward_who_was_ever_a_member_may_not_review(world: World) -> None:
    from datetime import timedelta

    from egress_world import TODAY

    from access_control import people

    # sid was in the project last month.
    world.do(
        people.grant_role, "sid", role="researcher", domain="project:p17", start=TODAY - timedelta(days=40),
        until=TODAY - timedelta(days=10), source="letter",
    )  # fmt: skip
    request_id = world.submitted()
    with pytest.raises(NotPermitted):
        world.vote(request_id, "sid")


def test_each_owner_has_a_say(bare_world: World) -> None:
    bare_world.open_to("hiv/full", "pay/full")
    request_id = bare_world.submitted()
    bare_world.vote(request_id, "sam")
    assert bare_world.vote(request_id, "sue") is State.InReview
    assert bare_world.vote(request_id, "gil") is State.Released


def test_where_nothing_was_mounted_any_steward_decides(bare_world: World) -> None:
    request_id = bare_world.submitted()
    bare_world.vote(request_id, "sam")
    assert bare_world.vote(request_id, "gil") is State.Released


def test_conflict_goes_to_a_third(world: World) -> None:
    request_id = world.submitted()
    world.vote(request_id, "sam")
    assert world.vote(request_id, "sue", "reject") is State.InReview
    assert [item.third for item in world.ask(reviews.queue, world.settings, reviewer="sid")] == [True]
    assert world.vote(request_id, "sid") is State.Released


def test_a_blocked_file_needs_two_and_a_reason(bare_world: World) -> None:
    bare_world.open_to("pay/full")
    request_id = bare_world.submitted({"a.txt": "blocks"})
    file = bare_world.files(request_id)[0]
    with pytest.raises(Invalid, match="Say why it may leave"):
        bare_world.do(reviews.vote, bare_world.settings, request_id, file.id, "approve", actor="gil")
    assert bare_world.vote(request_id, "gil") is State.InReview
    assert bare_world.vote(request_id, "gus") is State.Released


@pytest.mark.parametrize("verdict", ["changes", "reject"])
def test_a_no_needs_a_reason(world: World, verdict: str) -> None:
    request_id = world.submitted()
    file = world.files(request_id)[0]
    with pytest.raises(Invalid, match="Say what is wrong"):
        world.do(reviews.vote, world.settings, request_id, file.id, verdict, actor="sam")
    with pytest.raises(Invalid, match="A vote is approve, changes, reject"):
        world.do(reviews.vote, world.settings, request_id, file.id, "yes", actor="sam")


def test_votes_are_blind_until_enough_have_voted(world: World) -> None:
    request_id = world.submitted(TWO)
    world.vote(request_id, "sam", "approve")
    world.do(reviews.comment, world.settings, request_id, "Looks fine", actor="sam")
    seen = view(world, request_id, "sue")
    assert seen.blind
    assert [file.votes for file in seen.files] == [[], []]
    assert seen.comments == []
    mine = view(world, request_id, "sam")
    assert mine.blind
    assert [len(file.votes) for file in mine.files] == [1, 1]
    assert len(mine.comments) == 1
    world.vote(request_id, "sue", "reject", "a.csv")
    assert view(world, request_id, "sue").blind
    world.vote(request_id, "sue", "reject", "b.csv")
    seen = view(world, request_id, "sid")
    assert not seen.blind
    assert [len(file.votes) for file in seen.files] == [2, 2]
    assert len(seen.comments) == 1


def test_what_was_decided_on_one_file_is_hidden_while_another_is_open(world: World) -> None:
    request_id = world.submitted(TWO)
    world.vote(request_id, "sam", "approve", "a.csv")
    world.vote(request_id, "sue", "approve", "a.csv")
    assert [file.outcome for file in world.files(request_id)] == ["approve", ""]
    for person in ("ana", "sid"):
        assert [file.outcome for file in view(world, request_id, person).files] == ["", ""]
    world.vote(request_id, "sam", "reject", "b.csv")
    world.vote(request_id, "sue", "reject", "b.csv")
    assert [file.outcome for file in view(world, request_id, "ana").files] == ["approve", "reject"]


def test_the_author_sees_votes_only_when_it_is_decided(world: World) -> None:
    request_id = world.submitted()
    world.vote(request_id, "sam", "reject")
    world.do(reviews.comment, world.settings, request_id, "Too small", actor="sam", place="row 2")
    seen = view(world, request_id, "ana")
    assert (seen.blind, seen.comments, [file.votes for file in seen.files]) == (True, [], [[]])
    world.vote(request_id, "sue", "reject")
    seen = view(world, request_id, "ana")
    assert not seen.blind
    assert seen.comments[0].place == "row 2"
    assert "appeal" in seen.can


@pytest.mark.parametrize("person", ["bea", "lea", "gil", "nobody"])
def test_others_do_not_know_of_the_request(world: World, person: str) -> None:
    request_id = world.submitted()
    with pytest.raises(NotFound):
        view(world, request_id, person)
    file = world.files(request_id)[0]
    with pytest.raises((NotFound, NotPermitted)):
        world.do(reviews.original_of, world.settings, request_id, file.id, viewer=person)


@pytest.mark.parametrize("person", ["eve", "olga"])
def test_admin_and_auditor_see_the_request_and_no_content(world: World, person: str) -> None:
    request_id = world.submitted()
    assert not view(world, request_id, person).blind
    file = world.files(request_id)[0]
    with pytest.raises(NotPermitted):
        world.do(reviews.original_of, world.settings, request_id, file.id, viewer=person)


def test_looking_at_a_file_is_in_the_log(world: World) -> None:
    request_id = world.submitted()
    file = world.files(request_id)[0]
    path, kind = world.do(reviews.original_of, world.settings, request_id, file.id, viewer="sam")
    assert path.name == file.sha256
    assert kind == "csv"
    assert any("request:viewed" in body and '"actor":"sam"' in body for body in world.log())


def test_a_claim_keeps_the_third_away_until_it_runs_out(world: World) -> None:
    request_id = world.submitted()
    for person in ("sam", "sue"):
        world.do(reviews.claim, world.settings, request_id, actor=person)
    with pytest.raises(WrongState, match="sam, sue have every place"):
        world.do(reviews.claim, world.settings, request_id, actor="sid")
    with pytest.raises(WrongState, match="every place"):
        world.vote(request_id, "sid")
    item = world.ask(reviews.queue, world.settings, reviewer="sam")[0]
    assert (item.claimed_by, item.mine, item.needed, item.voted) == (["sam", "sue"], True, 2, 0)
    world.do(reviews.unclaim, world.settings, request_id, actor="sam")
    world.do(reviews.claim, world.settings, request_id, actor="sid")
    world.wait(hours=claims.CLAIM_HOURS, seconds=1)
    world.do(reviews.claim, world.settings, request_id, actor="sam")
    with pytest.raises(NotFound):
        world.do(reviews.unclaim, world.settings, request_id, actor="sue")


def test_no_claim_keeps_an_owners_side_away(bare_world: World) -> None:
    bare_world.open_to("hiv/full", "pay/full")
    request_id = bare_world.submitted()
    for person in ("sam", "sue", "gil"):
        bare_world.do(reviews.claim, bare_world.settings, request_id, actor=person)
    with pytest.raises(WrongState):
        bare_world.do(reviews.claim, bare_world.settings, request_id, actor="gus")


def test_the_queue_shows_what_still_needs_me(world: World) -> None:
    request_id = world.submitted()
    world.wait(minutes=5)
    assert [item.request.id for item in world.ask(reviews.queue, world.settings, reviewer="sam")] == [request_id]
    world.vote(request_id, "sam")
    assert world.ask(reviews.queue, world.settings, reviewer="sam") == []
    assert len(world.ask(reviews.queue, world.settings, reviewer="sue")) == 1
    for person in ("ana", "lea", "gil", "eve"):
        assert world.ask(reviews.queue, world.settings, reviewer=person) == []


def test_votes_on_files_of_other_turns_and_requests_are_refused(world: World) -> None:
    first, second = world.submitted(), world.submitted()
    other = world.files(second)[0]
    with pytest.raises(NotFound):
        world.do(reviews.vote, world.settings, first, other.id, "approve", actor="sam")
    old = world.files(first)[0]
    for person in ("sam", "sue"):
        world.vote(first, person, "changes")
    world.write("table.csv", "sex,n\nf,320\nm,435\n")
    world.submit(first)
    with pytest.raises(Invalid, match="of turn 1"):
        world.do(reviews.vote, world.settings, first, old.id, "approve", actor="sam")


def test_nothing_said_is_ever_lost(world: World) -> None:
    request_id = world.submitted()
    world.do(reviews.comment, world.settings, request_id, "Why 120?", actor="sam")
    for person in ("sam", "sue"):
        world.vote(request_id, person, "changes")
    world.do(reviews.comment, world.settings, request_id, "All patients", actor="ana")
    world.write("table.csv", "sex,n\nf,320\nm,435\n")
    world.submit(request_id)
    for person in ("sam", "sue"):
        world.vote(request_id, person)
    seen = view(world, request_id, "ana")
    assert [each.text for each in seen.comments] == ["Why 120?", "All patients"]
    assert [(file.turn, file.name) for file in seen.earlier] == [(1, "table.csv")]
    assert "download" in seen.can


def test_what_can_be_done_is_what_the_services_let(world: World) -> None:
    request_id = world.draft(TWO)
    assert view(world, request_id, "ana").can == {"add_files", "submit", "withdraw", "comment"}
    world.submit(request_id)
    assert view(world, request_id, "ana").can == {"withdraw", "comment"}
    assert view(world, request_id, "sam").can == {"vote", "claim", "comment", "freeze"}
    assert view(world, request_id, "olga").can == frozenset()


def test_whoever_voted_on_a_part_and_left_keeps_nobody_from_the_rest(world: World) -> None:
    request_id = world.submitted({"a.csv": "k,n\nx,60\n", "b.csv": "j,n\nu,70\n"})
    for person in ("sam", "sue"):
        world.vote(request_id, person, "changes", "a.csv")
        world.vote(request_id, person, "approve", "b.csv")
    world.write("a.csv", "k,n\nx,80\n")
    world.submit(request_id)
    for person in ("sam", "sue"):
        world.do(people.suspend_person, person, reason="left", actor="eve")
    assert world.vote(request_id, "sid", name="a.csv") is State.InReview
    assert world.vote(request_id, "lou", name="a.csv") is State.Released
