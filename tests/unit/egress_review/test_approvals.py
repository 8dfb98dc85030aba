"""What an approval signs: altered afterwards, whichever part of it, it counts for nothing."""

import json

import pytest
from egress_world import World
from sqlalchemy import select, update

from access_control.database import reading
from egress_review.approvals import check_approved, check_signature, payload_for
from egress_review.errors import Refused
from egress_review.models import ReleaseRequest, RequestFile, Vote
from egress_review.records import get_request
from egress_review.signing import sign_as

SIGNED = {
    "at", "author", "context_sha256", "direction", "file", "findings_digest", "leaves_as", "owners", "policy_digest",
    "project", "quorum", "reason", "request", "reviewer", "rewrite_sha256", "rules_version", "sha256", "sides", "size",
    "turn", "verdict_of_checks", "what",
}  # fmt: skip

ALTERED = {
    "author": update(ReleaseRequest).values(author_id="lea"),
    "project": update(ReleaseRequest).values(project_id="p18"),
    "direction": update(ReleaseRequest).values(direction="in"),
    "file": update(RequestFile).values(name="other.csv"),
    "sha256": update(RequestFile).values(sha256="0" * 64),
    "size": update(RequestFile).values(size=1),
    "rewrite_sha256": update(RequestFile).values(rewrite_sha256="0" * 64),
    "leaves_as": update(RequestFile).values(rewrite_name="other.csv"),
    "context_sha256": update(RequestFile).values(context="other"),
    "findings_digest": update(RequestFile).values(findings_digest="other"),
    "verdict_of_checks": update(RequestFile).values(verdict="warn"),
    "rules_version": update(RequestFile).values(rules_version="other"),
    "reason": update(Vote).values(reason="other"),
    "sides": update(Vote).values(sides=["acme", "globex"]),
}  # fmt: skip


def check(world: World) -> list[str]:
    """The reviewers whose approvals hold."""
    with reading(world.engine) as db:
        request = get_request(db, "REQ-0001")
        file = db.scalars(select(RequestFile)).one()
        return sorted(vote.reviewer_id for vote in check_approved(db, world.settings, request, file))


def test_an_approval_signs_all_that_must_not_change(world: World) -> None:
    world.released()
    assert check(world) == ["sam", "sue"]
    votes = world.ask(lambda db: list(db.scalars(select(Vote))))
    assert [set(json.loads(vote.payload)) for vote in votes] == [SIGNED, SIGNED]
    assert all(len(json.loads(vote.payload)["policy_digest"]) == 64 for vote in votes)


@pytest.mark.parametrize("what", ALTERED)
def test_what_was_signed_is_what_counts(world: World, what: str) -> None:
    world.released()
    world.do(lambda db: db.execute(ALTERED[what]))
    with pytest.raises(Refused, match=rf"is not what is there now: .*\b{what}\b"):
        check(world)


def test_a_signature_of_another_request_does_not_count(world: World) -> None:
    world.released({"a.csv": "k,n\nx,60\n"})
    other = world.submitted({"a.csv": "k,n\nx,60\n"})
    votes = world.ask(lambda db: list(db.scalars(select(Vote))))
    kept = ("turn", "reviewer_id", "sides", "verdict", "reason", "seconds", "payload", "signature", "key_id", "at")
    file = world.files(other)[0]
    for vote in votes:
        values = {name: getattr(vote, name) for name in kept}
        world.do(lambda db, values=values: db.add(Vote(request_id=other, file_id=file.id, **values)))
    with reading(world.engine) as db, pytest.raises(Refused, match="request"):
        check_approved(db, world.settings, get_request(db, other), db.get_one(RequestFile, file.id))


def test_nobody_approves_their_own_file_even_with_the_servers_keys(world: World) -> None:
    request_id = world.submitted()
    for person in ("ana", "sue"):
        request, file = world.request(request_id), world.files(request_id)[0]
        text = payload_for(
            request, file, needed=2, reviewer=person, sides=["acme"], reason="mine", policy_digest="0" * 64
        )
        signature, key = sign_as(world.settings, person, text)
        values = {
            "request_id": request_id, "turn": 1, "file_id": file.id, "reviewer_id": person, "sides": ["acme"],
            "verdict": "approve", "reason": "mine", "payload": text, "signature": signature, "key_id": key,
            "at": world.at,
        }  # fmt: skip
        world.do(lambda db, values=values: db.add(Vote(**values)))
    with pytest.raises(Refused, match="by its own author"):
        check(world)


def test_an_approval_names_the_key_it_was_made_with(world: World) -> None:
    world.released()
    world.do(lambda db: db.execute(update(Vote).where(Vote.reviewer_id == "sue").values(key_id="0" * 16)))
    with pytest.raises(Refused, match=r"sue under table\.csv was signed with another key"):
        check(world)


def test_whoever_has_the_same_key_is_still_somebody_else(world: World) -> None:
    world.released()
    keys = world.settings.keys / "reviewers"
    (keys / "sid.pem").write_bytes((keys / "sue.pem").read_bytes())
    world.do(lambda db: db.execute(update(Vote).where(Vote.reviewer_id == "sue").values(reviewer_id="sid")))
    with pytest.raises(Refused, match="reviewer differ"):
        check(world)


def test_an_approval_from_before_the_file_changed_does_not_count(world: World) -> None:
    request_id = world.submitted()
    world.vote(request_id, "sam")
    (vote,) = world.ask(lambda db: list(db.scalars(select(Vote))))
    request, file = world.request(request_id), world.files(request_id)[0]
    check_signature(world.settings, request, file, vote, 2)
    file.since_turn = file.turn = 2
    with pytest.raises(Refused, match="before the file changed"):
        check_signature(world.settings, request, file, vote, 2)


def test_whoever_marks_a_request_approved_releases_nothing(world: World) -> None:
    from egress_review import requests

    request_id = world.submitted()
    world.vote(request_id, "sam")
    forged = {"verdict": "approve", "signature": "00" * 64, "payload": "{}", "key_id": "0" * 16}
    file = world.files(request_id)[0]
    world.do(
        lambda db: db.add(
            Vote(
                request_id=request_id,
                turn=1,
                file_id=file.id,
                reviewer_id="sue",
                sides=["acme"],
                reason="",
                at=world.at,
                **forged,
            )
        )
    )
    world.do(lambda db: db.execute(update(RequestFile).values(outcome="approve")))
    world.do(lambda db: db.execute(update(ReleaseRequest).values(state="approved")))
    (problem,) = requests.resume(world.engine, world.settings)
    assert "sue" in problem
    assert world.ask(lambda db: list(db.scalars(select(ReleaseRequest.state)))) == ["approved"]
