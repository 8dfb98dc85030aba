"""Make the quorum of two alone, by voting twice.

Way: submission
Control: counting votes
Held by: of a reviewer the latest vote on a file counts
"""

from sqlalchemy import func, select

from egress_review.models import Vote
from tests.redteam import submitting


def twice(enclave, inside) -> str:
    request = submitting.in_review(enclave, inside)
    submitting.vote(enclave, request, "sam")
    submitting.vote(enclave, request, "sam")
    return request


def test_control_there_are_two_approvals(enclave, inside) -> None:
    request = twice(enclave, inside)
    with enclave.reading() as db:
        assert db.scalar(select(func.count()).select_from(Vote).where(Vote.request_id == request)) == 2


def test_it_stays_in_review(enclave, inside) -> None:
    request = twice(enclave, inside)
    assert submitting.state_of(enclave, request) == "in review"
    submitting.vote(enclave, request, "sol")
    assert submitting.state_of(enclave, request) == "released"
