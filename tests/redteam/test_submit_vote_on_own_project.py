"""Approve a colleague's request as a steward who is a member of its project.

Way: submission
Control: a new steward who is no member
Held by: Casbin refuses a review by anybody who is or was a member of the project
"""

import pytest

from egress_review.errors import EgressError
from tests.redteam import submitting

STEWARD = ("steward", "owner:health-institute")


def test_control_a_new_steward_may(enclave, inside) -> None:
    request = submitting.in_review(enclave, inside)
    with submitting.new_person(enclave, STEWARD) as person:
        submitting.vote(enclave, request, person)


def test_a_member_may_not(enclave, inside) -> None:
    request = submitting.in_review(enclave, inside)
    with (
        submitting.new_person(enclave, STEWARD, ("researcher", "project:smoking")) as person,
        pytest.raises(EgressError, match="may not review"),
    ):
        submitting.vote(enclave, request, person)
