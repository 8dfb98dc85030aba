"""Submitting while something else happens to the same request, and checks whose answer comes late or changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from egress_world import World, plain_checker, plain_rewriter

from access_control import agreements
from egress_review import requests, submission
from egress_review.errors import Refused, WrongState
from egress_review.findings import FileResult, Finding
from egress_review.models import RequestFile
from egress_review.records import counted_votes
from egress_review.states import State
from egress_review.store import Store

A, B = "k,n\nx,60\n", "k,n\nx,70\n"


def submit(world: World, request_id: str, checker: Any = plain_checker, rewriter: Any = plain_rewriter) -> State:
    return requests.submit(world.engine, world.settings, request_id, actor="ana", checker=checker, rewriter=rewriter)


def broken(*_: object, **__: object) -> NoReturn:
    raise Refused("no sandbox")


def blobs(world: World) -> int:
    return sum(1 for _ in (world.settings.store / "blobs").glob("*/*"))


def during_the_copy(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """What another program does while the files are copied: once, and then the copy goes on."""
    take, left = submission.take, [happens]

    def taking(*args: Any, **kwargs: Any) -> Any:
        if left:
            left.pop()()
        return take(*args, **kwargs)

    monkeypatch.setattr(submission, "take", taking)


def test_what_is_under_review_is_not_even_copied(world: World) -> None:
    request_id = world.submitted({"a.csv": A})
    world.write("a.csv", B)
    before = blobs(world)
    with pytest.raises(WrongState):
        submit(world, request_id)
    assert blobs(world) == before


def test_two_submissions_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = world.draft({"a.csv": A})
    during_the_copy(monkeypatch, lambda: submit(world, request_id))
    with pytest.raises(WrongState):
        submit(world, request_id)
    assert (world.state(request_id), world.request(request_id).turn) == (State.InReview, 1)


def test_withdrawn_while_it_is_copied(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = world.draft({"a.csv": A})
    during_the_copy(
        monkeypatch, lambda: world.do(requests.withdraw, world.settings, request_id, actor="ana", reason="no")
    )
    with pytest.raises(WrongState):
        submit(world, request_id)
    assert world.state(request_id) is State.Withdrawn


def test_context_changed_while_it_is_copied(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = world.draft({"a.csv": A})
    during_the_copy(
        monkeypatch,
        lambda: world.do(requests.set_context, world.settings, request_id, "a.csv", "other", actor="ana"),
    )
    with pytest.raises(WrongState, match="were changed while it was submitted"):
        submit(world, request_id)
    assert world.state(request_id) is State.Draft
    assert world.files(request_id)[0].sha256 == ""


def test_nothing_is_checked_twice(world: World) -> None:
    request_id = world.submitted({"a.csv": A})
    before = world.log()
    state = requests.run_checks(world.engine, world.settings, request_id, checker=broken, rewriter=plain_rewriter)
    assert state is State.InReview
    assert world.log() == before


def test_checks_that_come_late_say_nothing_of_the_next_turn(world: World) -> None:
    request_id = world.draft({"a.csv": A})

    def late(*args: Any, **kwargs: Any) -> list[FileResult]:
        found = plain_checker(*args, **kwargs)
        requests.resume(world.engine, world.settings, checker=plain_checker, rewriter=plain_rewriter)
        for person in ("sam", "sue"):
            world.vote(request_id, person, "changes")
        world.write("a.csv", B)
        with pytest.raises(Refused):
            submit(world, request_id, broken)
        return found

    assert submit(world, request_id, late) is State.Checking
    assert world.state(request_id) is State.Checking, "the second turn has not been checked"
    assert world.files(request_id)[0].verdict == ""


def test_bytes_that_changed_in_the_store_are_not_checked(world: World) -> None:
    request_id = world.draft({"a.csv": A})
    with pytest.raises(Refused):
        submit(world, request_id, broken)
    path = Store(world.settings.store).path(world.files(request_id)[0].sha256)
    path.chmod(0o600)
    path.write_text(B)
    (problem,) = requests.resume(world.engine, world.settings, checker=plain_checker, rewriter=plain_rewriter)
    assert "is damaged" in problem
    assert world.state(request_id) is State.Checking


def other_finding(*args: Any, **kwargs: Any) -> list[FileResult]:
    found = plain_checker(*args, **kwargs)
    extra = Finding("word", "informs", "x", "New.", "None.")
    return [FileResult(each.path, each.verdict, [*each.findings, extra], each.kind, each.facts) for each in found]


def other_rules(*args: Any, **kwargs: Any) -> list[FileResult]:
    found = plain_checker(*args, **kwargs)
    return [FileResult(each.path, each.verdict, each.findings, each.kind, each.facts, "later") for each in found]


def other_form(path: Path, kind: str, settings: Any = None) -> bytes:
    return path.read_bytes() + b"\n"


@pytest.mark.parametrize(
    ("checker", "rewriter", "kept"),
    [
        (plain_checker, plain_rewriter, True),
        (other_finding, plain_rewriter, False),
        (other_rules, plain_rewriter, False),
        (plain_checker, other_form, False),
    ],
)
def test_votes_stay_only_where_what_was_seen_stays(world: World, checker: Any, rewriter: Any, kept: bool) -> None:
    request_id = world.submitted({"a.csv": A, "b.csv": A})
    for person in ("sam", "sue"):
        world.vote(request_id, person, "changes", "a.csv")
        world.vote(request_id, person, "approve", "b.csv")
    world.write("a.csv", B)
    submit(world, request_id, checker, rewriter)
    same = world.files(request_id)[1]
    assert same.since_turn == (1 if kept else 2)
    assert bool(world.ask(counted_votes, same)) is kept


def test_the_turn_a_file_is_unchanged_since_is_not_believed(world: World) -> None:
    request_id = world.submitted({"a.csv": A})
    for person in ("sam", "sue"):
        world.vote(request_id, person, "changes")
    world.write("a.csv", B)
    world.do(lambda db: db.query(RequestFile).filter(RequestFile.turn == 2).update({"since_turn": 1}))
    submit(world, request_id)
    assert world.files(request_id)[0].since_turn == 2


def test_an_agreement_may_ask_for_more_people(world: World) -> None:
    (agreement,) = world.ask(lambda db: list(db.query(agreements.Agreement.id)))
    world.do(lambda db: db.query(agreements.Agreement).filter_by(id=agreement[0]).update({"reviewers": 3}))
    request_id = world.submitted({"a.csv": A})
    assert world.request(request_id).reviewers == 3


def test_what_is_over_ends_by_itself(world: World) -> None:
    world.released({"a.csv": A})
    world.wait(days=world.settings.egress.download_days + 1)
    assert requests.resume(world.engine, world.settings) == []
    assert world.state("REQ-0001") is State.Expired
