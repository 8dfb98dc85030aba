"""Fetch somebody else's release with one's own login, or with their link.

Way: submission
Control: the author herself, in the same way
Held by: a link works for the person it was made for, and the gate asks again who is there
"""

import pytest

from egress_review import release
from egress_review.errors import NotPermitted
from tests.redteam import submitting


@pytest.fixture(scope="module")
def made(enclave, inside) -> tuple[str, str, int]:
    return submitting.released(enclave, inside)


def test_control_the_author_gets_it(enclave, researcher, made) -> None:
    _, name, file = made
    link = submitting.api(researcher.browser, "POST", f"releases/{name}/links?file_id={file}")
    assert link.status_code == 201, link.text
    assert researcher.browser.get(link.json()["url"]).content.startswith(b"group-")


def test_nobody_makes_a_link_to_it(enclave, made) -> None:
    _, name, file = made
    for person in ("dora", "sam", "eve"):
        for query in (f"?file_id={file}", ""):
            answer = submitting.api(enclave.signed_in(person), "POST", f"releases/{name}/links{query}")
            assert answer.status_code in (403, 404), (person, answer.text)


def test_nobody_uses_the_authors_link(enclave, researcher, made) -> None:
    _, name, file = made
    link = submitting.api(researcher.browser, "POST", f"releases/{name}/links?file_id={file}").json()["url"]
    for person in ("dora", "sam", "eve"):
        answer = enclave.signed_in(person).get(link)
        assert answer.status_code in (403, 404), person
        assert b"group-" not in answer.content
    assert researcher.browser.get(link).status_code == 200
    assert any(entry["subject"] == f"release:{name}" for entry in enclave.audit("release:refused"))


def test_nor_past_the_pages(enclave, made) -> None:
    _, name, file = made
    token = release.make_link(enclave.engine, enclave.settings, name, actor="ana", release_file_id=file)
    with pytest.raises(NotPermitted):
        release.redeem(enclave.engine, enclave.settings, token, actor="dora")
