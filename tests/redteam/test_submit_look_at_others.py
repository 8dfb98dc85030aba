"""See a submitted file, a workspace or a request of somebody else through the portal.

Way: submission
Control: the same addresses by those who may
Held by: each is decided for the person who asks; what they may not know of is not there
"""

import pytest

from tests.redteam import submitting


@pytest.fixture(scope="module")
def addresses(enclave, inside) -> list[str]:
    request = submitting.in_review(enclave, inside)
    (file,) = submitting.files_of(enclave, request)
    return [f"release-requests/{request}", f"release-requests/{request}/files/{file.id}/preview"]


def test_control_the_reviewer_and_the_author_may(enclave, researcher, addresses) -> None:
    for address in addresses:
        assert enclave.signed_in("sam").get(submitting.API + address).status_code == 200
    assert researcher.browser.get(submitting.API + addresses[0]).status_code == 200
    assert researcher.browser.get(submitting.API + "projects/smoking/workspace").status_code == 200


@pytest.mark.parametrize("person", ["dora", "tom"])
def test_others_may_not(enclave, addresses, person) -> None:
    for address in addresses:
        answer = enclave.signed_in(person).get(submitting.API + address)
        assert answer.status_code in (403, 404), answer.text
        assert "attack-" not in answer.text


def test_an_admin_sees_that_it_is_there_and_no_content(enclave, addresses) -> None:
    answer = enclave.signed_in("eve").get(submitting.API + addresses[1])
    assert answer.status_code in (403, 404)


def test_nor_list_a_workspace_of_another_project(enclave) -> None:
    answer = enclave.signed_in("dora").get(submitting.API + "projects/wages/workspace")
    assert answer.status_code in (403, 404)
