"""From votes to a decision, where the database was altered or a program comes late."""

import pytest
from egress_world import World
from sqlalchemy import select, update

from access_control.database import writing
from egress_review import deciding, freezing, requests
from egress_review.errors import Refused
from egress_review.models import Release, ReleaseRequest, RequestFile, SeededRequest
from egress_review.records import get_request
from egress_review.states import State
from egress_review.store import Store


def releases(world: World) -> list[str]:
    return world.ask(lambda db: list(db.scalars(select(Release.id))))


def test_only_what_is_in_review_is_decided(world: World) -> None:
    request_id = world.submitted()
    world.vote(request_id, "sam")
    world.do(freezing.freeze, world.settings, request_id, actor="sam", reason="stop")
    world.do(lambda db: db.execute(update(ReleaseRequest).values(reviewers=1)))
    with writing(world.engine) as db:
        assert deciding.settle(db, world.settings, get_request(db, request_id)) is State.Frozen
    assert [file.outcome for file in world.files(request_id)] == [""]


def test_a_seeded_request_is_not_released_whatever_the_database_says_of_its_state(world: World) -> None:
    request_id = world.submitted()
    world.vote(request_id, "sam")
    world.do(lambda db: db.add(SeededRequest(request_id=request_id, seeded_by="lou", why_unsafe="x", at=world.at)))
    assert world.vote(request_id, "sue") is State.Rejected
    world.do(lambda db: db.execute(update(RequestFile).values(outcome="approve")))
    world.do(lambda db: db.execute(update(ReleaseRequest).values(state="approved")))
    (problem,) = requests.resume(world.engine, world.settings)
    assert "never leaves" in problem
    assert releases(world) == []


@pytest.mark.parametrize("which", ["sha256", "rewrite_sha256"])
def test_nothing_is_released_while_original_or_rewrite_is_damaged(world: World, which: str) -> None:
    request_id = world.submitted()
    world.vote(request_id, "sam")
    file, store = world.files(request_id)[0], Store(world.settings.store)
    rewrite, path = store.read(file.rewrite_sha256 or ""), store.path(getattr(file, which))
    store.path(file.rewrite_sha256 or "").unlink()
    assert world.vote(request_id, "sue") is State.Approved
    store.put([rewrite])
    kept = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(b"other")
    (problem,) = requests.resume(world.engine, world.settings)
    assert "is damaged" in problem
    assert releases(world) == []
    store.put([kept])
    assert requests.resume(world.engine, world.settings) == []
    assert world.state(request_id) is State.Released


def test_the_next_turn_begins_with_nothing_found_and_nothing_said(world: World) -> None:
    request_id = world.submitted({"a.csv": "warns,n\nx,60\n"})
    assert world.files(request_id)[0].findings
    for person in ("sam", "sue"):
        world.vote(request_id, person, "changes")
    assert world.state(request_id) is State.ChangesAsked
    (file,) = world.files(request_id, 2)
    assert (file.verdict, file.findings, file.facts, file.sha256, file.since_turn) == ("", [], {}, "", 2)


def test_a_file_without_a_canonical_form_has_nothing_that_could_leave(world: World) -> None:
    request_id = world.submitted({"a.csv": "uncanonical"})
    with pytest.raises(Refused, match="no canonical form"):
        world.vote(request_id, "sam")
