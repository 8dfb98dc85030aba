"""Fetch a release after one's own access was suspended, by a link that was made before.

Way: submission
Control: the same person before
Held by: the gate asks for the author's standing at every download
"""

import pytest

from access_control import people
from egress_review import release
from egress_review.errors import EgressError
from tests.redteam import submitting


def test_control_before_it_works_and_after_it_does_not(enclave) -> None:
    with submitting.new_person(enclave, ("researcher", "project:smoking")) as author:
        request = submitting.in_review(enclave, author=author)
        for steward in submitting.STEWARDS:
            submitting.vote(enclave, request, steward)
        name, file = submitting.release_of(enclave, request)
        assert submitting.fetch(enclave, name, file, author).startswith(b"group-")
        token = release.make_link(enclave.engine, enclave.settings, name, actor=author, release_file_id=file)
        with enclave.writing() as db:
            people.suspend_person(db, author, reason="It is looked into.", actor="eve")
        with pytest.raises(EgressError):
            release.redeem(enclave.engine, enclave.settings, token, actor=author)
        with pytest.raises(EgressError):
            submitting.fetch(enclave, name, file, author)


def test_nor_after_leaving_the_project(enclave) -> None:
    role = ("researcher", "project:smoking")
    with submitting.new_person(enclave, role) as author:
        request = submitting.in_review(enclave, author=author)
        for steward in submitting.STEWARDS:
            submitting.vote(enclave, request, steward)
        name, file = submitting.release_of(enclave, request)
    with pytest.raises(EgressError):  # the role has ended with the block above
        submitting.fetch(enclave, name, file, author)
