import pytest
from egress_world import TODAY, World, plain_checker, plain_rewriter

from access_control import people
from egress_review import requests
from egress_review.errors import Invalid, NotFound, NotPermitted, Refused, WrongState
from egress_review.states import State

TWO = {"a.csv": "k,n\nx,50\ny,60\n", "b.csv": "j,n\nu,70\nv,80\n"}


def test_a_draft_is_made_by_members_alone(bare_world: World) -> None:
    made = {"project_id": "p17", "title": "T", "purpose": "P"}
    request = bare_world.do(requests.create_draft, bare_world.settings, actor="ana", **made)
    assert (request.id, request.state, request.turn) == ("REQ-0001", "draft", 1)
    for person in ("bea", "sam", "eve", "nobody"):
        with pytest.raises(NotPermitted, match="p17"):
            bare_world.do(requests.create_draft, bare_world.settings, actor=person, **made)
    with pytest.raises(NotFound, match="no project"):
        bare_world.do(requests.create_draft, bare_world.settings, actor="ana", **(made | {"project_id": "p99"}))
    for wrong in ({"title": " "}, {"purpose": ""}, {"direction": "sideways"}):
        with pytest.raises(Invalid):
            bare_world.do(requests.create_draft, bare_world.settings, actor="ana", **(made | wrong))


def test_submitting_copies_what_was_there_then(world: World) -> None:
    request_id = world.draft({"a.csv": "k,n\nx,50\n"})
    assert world.files(request_id)[0].sha256 == ""
    assert world.submit(request_id) is State.InReview
    file = world.files(request_id)[0]
    world.write("a.csv", "changed")
    assert world.files(request_id)[0].sha256 == file.sha256 != ""
    assert any("request:submitted" in body and file.sha256 in body for body in world.log())


@pytest.mark.parametrize(
    ("mounted", "tier", "owners", "reviewers"),
    [
        ((), 3, [], 2),  # nothing was mounted: the project's tier decides
        (("pay/full",), 1, ["globex"], 1),
        (("hiv/full",), 3, ["acme"], 2),
        (("hiv/full", "pay/full"), 3, ["acme", "globex"], 2),
    ],
)
def test_the_strictest_data_mounted_decides_who_reviews(
    bare_world: World, mounted: tuple[str, ...], tier: int, owners: list[str], reviewers: int
) -> None:
    bare_world.open_to(*mounted)
    request = bare_world.request(bare_world.submitted())
    assert (request.tier, request.owners, request.reviewers) == (tier, owners, reviewers)
    assert [mount["rendition"] for mount in request.mounts] == list(mounted)


def test_a_failing_check_leaves_the_files_safe_and_is_taken_up_again(world: World) -> None:
    request_id = world.draft(TWO)

    def broken(*args: object, **kwargs: object) -> None:
        raise OSError("the sandbox is gone")

    with pytest.raises(Refused, match="files of REQ-0001 are kept"):
        requests.submit(
            world.engine, world.settings, request_id, actor="ana", checker=broken, rewriter=plain_rewriter  # type: ignore[arg-type]
        )  # fmt: skip
    assert world.state(request_id) is State.Checking
    assert "sandbox is gone" in world.request(request_id).reason
    world.write("a.csv", "changed meanwhile")
    resumed = requests.resume(world.engine, world.settings, checker=plain_checker, rewriter=plain_rewriter)
    assert resumed == []
    assert world.state(request_id) is State.InReview
    assert world.request(request_id).reason == ""


def test_a_check_that_leaves_a_file_out_is_no_pass(world: World) -> None:
    request_id = world.draft(TWO)

    def half(settings: object, files: list, **kwargs: object) -> list:  # type: ignore[type-arg]
        return plain_checker(world.settings, files[:1], profile=world.settings.egress.profiles["default"])

    with pytest.raises(Refused, match="did not answer for every file"):
        requests.submit(world.engine, world.settings, request_id, actor="ana", checker=half, rewriter=plain_rewriter)
    assert world.state(request_id) is State.Checking


def test_an_unchanged_file_keeps_its_votes_and_a_changed_one_loses_them(world: World) -> None:
    request_id = world.submitted(TWO)
    for person in ("sam", "sue"):
        world.vote(request_id, person, "approve", "a.csv")
        world.vote(request_id, person, "changes", "b.csv")
    assert world.state(request_id) is State.ChangesAsked
    world.write("b.csv", "j,n\nu,70\nv,90\n")
    assert world.submit(request_id) is State.InReview
    request = world.request(request_id)
    kept, lost = world.files(request_id)
    assert (request.turn, kept.since_turn, lost.since_turn) == (2, 1, 2)
    assert world.vote(request_id, "sam", name="b.csv") is State.InReview
    assert world.vote(request_id, "sue", name="b.csv") is State.Released
    assert [file.name for file in world.files(request_id, 1)] == ["a.csv", "b.csv"]


def test_a_changed_context_loses_the_votes_too(world: World) -> None:
    request_id = world.submitted(TWO)
    for person in ("sam", "sue"):
        world.vote(request_id, person, "approve", "a.csv")
        world.vote(request_id, person, "changes", "b.csv")
    for name in ("a.csv", "b.csv"):
        world.do(requests.set_context, world.settings, request_id, name, "Other people", actor="ana")
    assert world.submit(request_id) is State.InReview
    assert [file.since_turn for file in world.files(request_id)] == [2, 2]


def test_what_was_not_accepted_must_not_come_back_unchanged(world: World) -> None:
    request_id = world.submitted(TWO)
    for person in ("sam", "sue"):
        world.vote(request_id, person, "approve", "a.csv")
        world.vote(request_id, person, "changes", "b.csv")
    with pytest.raises(Invalid, match=r"b\.csv: reviewers did not accept"):
        world.submit(request_id)
    assert world.state(request_id) is State.ChangesAsked
    world.do(requests.remove_file, world.settings, request_id, "b.csv", actor="ana")
    assert world.submit(request_id) is State.Released  # what is left has its quorum already


def test_more_data_mounted_since_asks_everybody_again(world: World) -> None:
    request_id = world.submitted(TWO)
    for person in ("sam", "sue"):
        world.vote(request_id, person, "approve", "a.csv")
        world.vote(request_id, person, "changes", "b.csv")
    world.open_to("pay/full")
    world.write("b.csv", "j,n\nu,70\nv,90\n")
    world.submit(request_id)
    assert world.request(request_id).owners == ["acme", "globex"]
    assert [file.since_turn for file in world.files(request_id)] == [2, 2]


@pytest.mark.parametrize("state", ["submitted", "withdrawn"])
def test_files_are_changed_only_in_a_draft(world: World, state: str) -> None:
    request_id = world.submitted()
    if state == "withdrawn":
        world.do(requests.withdraw, world.settings, request_id, actor="ana", reason="never mind")
    with pytest.raises(WrongState, match="can be changed only in a draft"):
        world.do(requests.add_files, world.settings, request_id, ["table.csv"], context="c", actor="ana")
    with pytest.raises(WrongState):
        world.submit(request_id)


@pytest.mark.parametrize("person", ["lea", "sam", "eve", "bea"])
def test_nobody_else_works_on_a_draft(world: World, person: str) -> None:
    request_id = world.draft(TWO)
    for service, args in (
        (requests.add_files, (["a.csv"],)),
        (requests.remove_file, ("a.csv",)),
        (requests.withdraw, ()),
        (requests.appeal, ()),
    ):
        more = {"context": "c"} if service is requests.add_files else {}
        more |= {"reason": "r"} if service is requests.appeal else {}
        with pytest.raises((NotPermitted, NotFound)):
            world.do(service, world.settings, request_id, *args, actor=person, **more)
    with pytest.raises((NotPermitted, NotFound)):
        world.submit(request_id, person)
    assert world.state(request_id) is State.Draft


def test_an_author_who_left_submits_nothing(world: World) -> None:
    request_id = world.draft(TWO)
    world.do(people.remove_role, "ana", role="researcher", domain="project:p17", reason="left", actor="eve")
    world.wait(days=1)
    with pytest.raises(NotPermitted):
        world.submit(request_id)


def test_an_appeal_goes_to_people_who_have_not_voted(world: World) -> None:
    request_id = world.submitted()
    for person in ("sam", "sue"):
        world.vote(request_id, person, "reject")
    assert world.state(request_id) is State.Rejected
    with pytest.raises(Invalid):
        world.do(requests.appeal, world.settings, request_id, actor="ana", reason=" ")
    world.do(requests.appeal, world.settings, request_id, actor="ana", reason="These are counts of 120 people.")
    assert world.state(request_id) is State.InReview
    with pytest.raises(NotPermitted, match="Somebody who has not voted"):
        world.vote(request_id, "sam")
    world.vote(request_id, "sid")
    assert world.vote(request_id, "lou") is State.Released


def test_there_is_one_appeal(world: World) -> None:
    request_id = world.submitted()
    for pair in (("sam", "sue"), ("sid", "lou")):
        for person in pair:
            world.vote(request_id, person, "reject")
        if pair[0] == "sam":
            world.do(requests.appeal, world.settings, request_id, actor="ana", reason="Look again")
    with pytest.raises(WrongState, match="appealed before"):
        world.do(requests.appeal, world.settings, request_id, actor="ana", reason="And again")


def test_a_file_without_a_canonical_form_cannot_be_approved(world: World) -> None:
    request_id = world.submitted({"a.bin": "uncanonical"})
    assert [finding["rule"] for finding in world.files(request_id)[0].findings] == ["no-canonical-form"]
    with pytest.raises(Refused, match="cannot leave"):
        world.vote(request_id, "sam")
    for person in ("sam", "sue"):
        world.vote(request_id, person, "reject")
    assert world.state(request_id) is State.Rejected


def test_ids_count_up_and_lists_are_the_authors_own(world: World) -> None:
    first, second = world.draft({}), world.draft({})
    assert (first, second) == ("REQ-0001", "REQ-0002")
    assert {row.id for row in world.ask(requests.requests_of, "ana")} == {first, second}
    assert world.ask(requests.requests_of, "lea") == []
    assert world.request(first).created_at.date() == TODAY


def test_a_pair_of_tables_one_person_apart_is_found_across_projects(world: World) -> None:
    world.released({"a.csv": "sex,n\nf,120\nm,135\n"})
    request_id = world.submitted({"b.csv": "sex,n\nf,119\nm,135\n"})
    (file,) = world.files(request_id)
    assert file.verdict == "block"
    assert "REL-0001" in file.findings[0]["message"]
    assert file.findings[0]["rule"] == "differencing"


def test_tables_of_one_request_are_compared_too(world: World) -> None:
    request_id = world.submitted({"a.csv": "sex,n\nf,120\nm,135\n", "b.csv": "sex,n\nf,118\nm,135\n"})
    assert [file.verdict for file in world.files(request_id)] == ["pass", "block"]
