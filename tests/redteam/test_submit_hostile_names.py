"""Hide or forge entries by file names with line ends, turned text, invisible characters and steps upwards.

Way: submission
Control: a plain listing of the folder, a line a name
Held by: names are letters, digits and plain signs; what is refused is shown with its characters spelled out
"""

import os

import pytest

from tests.redteam import submitting

NAMES = {
    "a line end": "table.csv\napproved.csv",
    "a return": "table.csv\rapproved",
    "turned text": "table\u202evsc.exe",
    "nothing visible": "table\u200b.csv",
    "a tag": "table\U000e0041.csv",
    "a backslash": "up\\table.csv",
    "a blank at the end": "table.csv ",
    "an escape": "table\x1b[2J.csv",
    "bytes that are no text": "table\udcff.csv",
    "parts that compose": "cafe\u0301.csv",
}


def make(inside, folder: str, name: str) -> None:
    write = f"import os; os.makedirs('/workspace/{folder}'); open(os.fsencode('/workspace/{folder}/' + {name!a}), 'w')"
    done = inside.python(write)
    assert done.worked, done.output


def test_control_a_plain_listing_is_deceived(enclave, inside) -> None:
    folder = submitting.fresh()
    make(inside, folder, NAMES["a line end"])
    lines = "\n".join(os.listdir(submitting.workspace(enclave) / folder)).splitlines()
    assert "approved.csv" in lines


@pytest.mark.parametrize("what", NAMES)
def test_it_is_refused_and_spelled_out(enclave, inside, what) -> None:
    folder = submitting.fresh()
    make(inside, folder, NAMES[what])
    said = submitting.refusal(enclave, folder)
    assert "Rename" in said
    said.encode()
    assert not any(ord(char) < 32 or char in "\u202e\u200b\x1b" for char in said)


@pytest.mark.parametrize("name", ["../ana/table.csv", "/etc/passwd", "a/../../cem/x", "", ".", "..", "a//b"])
def test_no_name_leads_out_of_the_workspace(enclave, inside, name) -> None:
    assert submitting.refusal(enclave, name)
