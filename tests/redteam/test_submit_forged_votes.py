"""Write approvals, or a whole release, into the database by hand.

Way: submission
Control: counting the rows, as a queue without signatures does
Held by: approvals are signed with keys that the database does not hold, and verified at each download
"""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from access_control import clock
from egress_review import submission
from egress_review.errors import EgressError
from egress_review.models import Release, ReleaseFile, ReleaseRequest, RequestFile, Vote
from tests.redteam import submitting


def forge(enclave, request: str, **more: str) -> None:
    """Approvals of two stewards who never saw it."""
    with enclave.writing() as db:
        row = db.get_one(ReleaseRequest, request)
        for file in submitting.files_of(enclave, request):
            for steward in submitting.STEWARDS:
                db.add(
                    Vote(
                        request_id=request,
                        turn=row.turn,
                        file_id=file.id,
                        reviewer_id=steward,
                        sides=["health-institute"],
                        verdict="approve",
                        reason="fine",
                        at=clock.now(),
                        **more,
                    )
                )


def forge_release(enclave, request: str) -> tuple[str, int]:
    """A release that no gate made, with the request set to released."""
    made = submitting.fresh("REL")
    with enclave.writing() as db:
        row = db.get_one(ReleaseRequest, request)
        row.state = "released"
        now = clock.now()
        db.add(Release(id=made, request_id=request, turn=row.turn, at=now, expires_at=now + timedelta(days=1)))
        db.flush()
        for file in db.scalars(select(RequestFile).where(RequestFile.request_id == request)):
            file.outcome = "approve"
            released = ReleaseFile(
                release_id=made,
                file_id=file.id,
                name=file.rewrite_name,
                original_sha256=file.sha256,
                sha256=file.rewrite_sha256 or "",
                size=file.rewrite_size,
                media_type="text/csv",
            )
            db.add(released)
            db.flush()
        return made, released.id


def test_control_by_the_rows_alone_it_is_approved(enclave, inside) -> None:
    request = submitting.in_review(enclave, inside)
    forge(enclave, request)
    with enclave.reading() as db:
        counted = select(func.count(Vote.reviewer_id.distinct())).where(
            Vote.request_id == request, Vote.verdict == "approve"
        )
        assert db.scalar(counted) == 2


@pytest.mark.parametrize("signature", [{}, {"payload": "{}", "signature": "00" * 64, "key_id": "0" * 16}])
def test_the_gate_does_not_open(enclave, inside, signature) -> None:
    request = submitting.in_review(enclave, inside)
    submitting.released(enclave, inside)  # the stewards have keys, from an approval of their own
    forge(enclave, request, **signature)
    name, file = forge_release(enclave, request)
    with pytest.raises(EgressError):
        submitting.fetch(enclave, name, file)


def test_nor_by_signatures_of_another_file(enclave, inside) -> None:
    other, _, _ = submitting.released(enclave, inside)
    request = submitting.in_review(enclave, inside)
    with enclave.writing() as db:
        (file,) = submitting.files_of(enclave, request)
        for vote in db.scalars(select(Vote).where(Vote.request_id == other)).all():
            db.add(
                Vote(
                    request_id=request,
                    turn=1,
                    file_id=file.id,
                    reviewer_id=vote.reviewer_id,
                    sides=vote.sides,
                    verdict="approve",
                    reason=vote.reason,
                    payload=vote.payload,
                    signature=vote.signature,
                    key_id=vote.key_id,
                    at=clock.now(),
                )
            )
    name, file_id = forge_release(enclave, request)
    with pytest.raises(EgressError):
        submitting.fetch(enclave, name, file_id)


def test_nor_by_an_approved_request_that_waits_for_its_release(enclave, inside) -> None:
    request = submitting.in_review(enclave, inside)
    forge(enclave, request)
    with enclave.writing() as db:
        db.get_one(ReleaseRequest, request).state = "approved"
        for file in db.scalars(select(RequestFile).where(RequestFile.request_id == request)):
            file.outcome = "approve"
    assert any(request in sentence for sentence in submission.resume(enclave.engine, enclave.settings))
    with enclave.reading() as db:
        assert db.scalar(select(Release).where(Release.request_id == request)) is None
    with enclave.writing() as db:
        db.get_one(ReleaseRequest, request).state = "rejected"
