"""Carry records out in the names of files, which the portal lists for submission, past the session's budgets.

Way: submission
Control: listing the workspace as often as one likes
Bounded by: names count as previews of one's own files do, ten MiB a day
"""

import pytest

from egress_review.snapshot import list_workspace
from hub.portal.shown import OWN_PART
from tests.redteam import submitting

COUNT, LENGTH = 6000, 200


@pytest.fixture
def names(enclave):
    """A workspace of cem's full of names that say something."""
    folder = submitting.workspace(enclave, "wages", "cem") / submitting.fresh()
    folder.mkdir(parents=True)
    for number in range(COUNT):
        (folder / f"{number:0{LENGTH}d}").touch()
    yield
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def test_control_a_plain_listing_gives_them_without_end(enclave, names) -> None:
    for _ in range(3):
        listed = list_workspace(enclave.settings.workspaces, "wages", "cem")
        assert sum(len(file.name) for file in listed) >= COUNT * LENGTH


def test_in_the_end_nothing_more_is_listed(enclave, names) -> None:
    most = enclave.settings.egress.preview_bytes_per_day // OWN_PART
    browser, got = enclave.signed_in("cem"), 0
    for _ in range(most // (COUNT * LENGTH) + 2):
        answer = browser.get(submitting.API + "projects/wages/workspace")
        if answer.status_code != 200:
            break
        got += sum(len(file["name"]) for file in answer.json())
    assert 0 < got <= most
    assert answer.status_code != 200
    assert "in your session" in answer.text
    assert browser.get("/services/portal/releases/new?project=wages").status_code >= 400
