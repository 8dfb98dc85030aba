"""Fetch a file before enough reviewers have approved it.

Way: submission
Control: the same after the second approval
Held by: there is no release before the quorum, and no other way to the bytes
"""

from sqlalchemy import select

from egress_review.models import Release
from tests.redteam import submitting


def downloads(page: str) -> int:
    return page.count("/released/")


def test_control_after_the_quorum_and_not_before(enclave, inside, researcher) -> None:
    request = submitting.in_review(enclave, inside)
    for offered in ("sam", "sol"):
        assert not downloads(researcher.see(f"releases/{request}").text)
        with enclave.reading() as db:
            assert db.scalar(select(Release).where(Release.request_id == request)) is None
        submitting.vote(enclave, request, offered)
    assert downloads(researcher.see(f"releases/{request}").text)
    name, file = submitting.release_of(enclave, request)
    assert submitting.fetch(enclave, name, file).startswith(b"group-")


def test_no_address_gives_it(enclave, inside, researcher) -> None:
    request = submitting.in_review(enclave, inside)
    submitting.vote(enclave, request, "sam")
    (kept,) = submitting.files_of(enclave, request)
    for name in (request, request.replace("REQ", "REL"), f"../{request}"):
        answer = submitting.api(researcher.browser, "POST", f"releases/{name}/links?file_id={kept.id}")
        assert answer.status_code >= 400
        assert researcher.post(f"released/{name}/{kept.id}").status_code >= 400
    for path in (f"download/{kept.sha256}", f"releases/{request}/{kept.id}", f"releases/{request}/files/{kept.sha256}"):
        answer = researcher.see(path)
        assert answer.status_code >= 400
        assert b"group-" not in answer.content
