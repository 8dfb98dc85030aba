"""Approve one's own request, through the API and past the pages.

Way: submission
Control: the same call by a steward
Held by: Casbin decides who may review, and nobody may review their own work
"""

import pytest

from egress_review import reviews
from egress_review.errors import EgressError
from tests.redteam import submitting

APPROVE = {"verdict": "approve", "reason": "It is fine."}


def votes_address(enclave, request: str) -> str:
    return f"release-requests/{request}/files/{submitting.files_of(enclave, request)[0].id}/votes"


def test_control_a_steward_may(enclave, inside) -> None:
    request = submitting.in_review(enclave, inside)
    answer = submitting.api(enclave.signed_in("sam"), "POST", votes_address(enclave, request), APPROVE)
    assert answer.status_code == 201, answer.text


def test_the_author_may_not(enclave, inside, researcher) -> None:
    request = submitting.in_review(enclave, inside)
    answer = submitting.api(researcher.browser, "POST", votes_address(enclave, request), APPROVE)
    assert answer.status_code == 403, answer.text
    assert (
        submitting.api(researcher.browser, "POST", f"release-requests/{request}/claim", {"reason": "mine"}).status_code
        == 403
    )


@pytest.mark.parametrize("person", ["dora", "eve", "tom", "ivy"])
def test_nor_a_colleague_an_admin_a_steward_of_other_data_or_an_auditor(enclave, inside, person) -> None:
    request = submitting.in_review(enclave, inside)
    answer = submitting.api(enclave.signed_in(person), "POST", votes_address(enclave, request), APPROVE)
    assert answer.status_code in (403, 404), answer.text


def test_nor_an_author_who_is_a_steward_as_well(enclave) -> None:
    roles = (("researcher", "project:smoking"), ("steward", "owner:health-institute"))
    with submitting.new_person(enclave, *roles) as author:
        request = submitting.in_review(enclave, author=author)
        with pytest.raises(EgressError):
            submitting.vote(enclave, request, author)


def test_nor_on_a_file_of_another_request(enclave, inside) -> None:
    mine, other = submitting.in_review(enclave, inside), submitting.in_review(enclave, inside)
    (file,) = submitting.files_of(enclave, other)
    with pytest.raises(EgressError), enclave.writing() as db:
        reviews.vote(db, enclave.settings, mine, file.id, "approve", actor="sam", reason="fine")
