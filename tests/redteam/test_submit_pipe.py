"""Make the enclave wait for ever by submitting a pipe.

Way: submission
Control: opening the picked name as it is
Held by: a file is looked at before it is opened, and only regular ones are
"""

import subprocess

import pytest

from tests.redteam import submitting


def test_control_a_plain_open_waits_for_ever(enclave, inside) -> None:
    name = submitting.fresh()
    assert inside.shell(f"mkfifo /workspace/{name}").worked
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(["cat", submitting.workspace(enclave) / name], timeout=3, check=False)


def test_it_cannot_be_picked(enclave, inside) -> None:
    name = submitting.fresh()
    assert inside.shell(f"mkfifo /workspace/{name}").worked
    assert "no regular file" in submitting.refusal(enclave, name)


def test_nor_put_in_the_place_of_a_picked_file(enclave, inside) -> None:
    said = submitting.refusal_after_swap(enclave, inside, f"{submitting.fresh()}.csv", "mkfifo $FILE")
    assert "no regular file" in said


def test_nor_a_socket(enclave, inside) -> None:
    bind = "python3 -c 'import os, socket; socket.socket(socket.AF_UNIX).bind(os.environ[\"FILE\"])'"
    said = submitting.refusal_after_swap(enclave, inside, f"{submitting.fresh()}.csv", f"export FILE; {bind}")
    assert "no regular file" in said
