"""Approve and fetch a request that was frozen because a grant under it ended.

Way: submission
Control: the same before
Held by: a frozen request takes no vote, and its release gives nothing
"""

import pytest

from egress_review import freezing, release
from egress_review.errors import EgressError
from tests.redteam import submitting


def freeze(enclave, request: str) -> None:
    with enclave.writing() as db:
        freezing.freeze(db, enclave.settings, request, actor="sol", reason="The grant is looked into.")


def test_control_before_a_vote_counts_and_after_it_does_not(enclave, inside) -> None:
    request = submitting.in_review(enclave, inside)
    submitting.vote(enclave, request, "sam")
    freeze(enclave, request)
    with pytest.raises(EgressError):
        submitting.vote(enclave, request, "sol")
    assert submitting.state_of(enclave, request) == "frozen"


def test_a_released_one_gives_nothing(enclave, inside) -> None:
    request, name, file = submitting.released(enclave, inside)
    token = release.make_link(enclave.engine, enclave.settings, name, actor="ana", release_file_id=file)
    freeze(enclave, request)
    with pytest.raises(EgressError):
        release.redeem(enclave.engine, enclave.settings, token, actor="ana")
    with pytest.raises(EgressError):
        submitting.fetch(enclave, name, file)
