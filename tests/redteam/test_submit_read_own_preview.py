"""Carry records out by submitting them and reading the preview of one's own request, past the session's budgets.

Way: submission
Control: the first previews, which are shown
Bounded by: previews are cut to some rows, and an author is shown a small part of what a reviewer may be shown in a day
"""

import pytest

from hub.portal.shown import MOST_ROWS, OWN_PART
from tests.redteam import submitting

COLUMNS, WIDTH = 20, 150


@pytest.fixture(scope="module")
def address(enclave) -> str:
    """The preview of records that dora has submitted."""
    folder = submitting.workspace(enclave, person="dora")
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{submitting.fresh()}.csv"
    rows = [",".join(f"{row:0{WIDTH}d}" for _ in range(COLUMNS)) for row in range(2 * MOST_ROWS)]
    (folder / name).write_text("\n".join([",".join(f"c{n}" for n in range(COLUMNS)), *rows]) + "\n")
    request = submitting.draft(enclave, name, author="dora")
    (file,) = submitting.submit(enclave, request, "dora")
    return f"{submitting.API}release-requests/{request}/files/{file.id}/preview"


def test_control_and_in_the_end_nothing_more_is_shown(enclave, address) -> None:
    most = enclave.settings.egress.preview_bytes_per_day // OWN_PART
    browser, got = enclave.signed_in("dora"), 0
    for _ in range(most // (MOST_ROWS * COLUMNS * WIDTH) + 10):
        answer = browser.get(address)
        if answer.status_code != 200:
            break
        rows = [row for table in answer.json()["tables"] for row in table["rows"]]
        assert len(rows) <= MOST_ROWS
        got += sum(len(cell) for row in rows for cell in row)
    assert 0 < got <= most
    assert answer.status_code != 200
    assert "in your session" in answer.text


def test_each_look_is_in_the_log(enclave, address) -> None:
    enclave.signed_in("dora").get(address)
    request = address.split("/")[-4]
    assert any(entry["subject"] == f"request:{request}" for entry in enclave.audit("request:viewed"))
