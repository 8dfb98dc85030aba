"""Submit a device, which a container of root could make.

Way: submission
Control: reading the picked name as it is
Held by: only regular files are opened, though a session cannot make a device in the first place
"""

import os
import stat

from tests.redteam import submitting


def make_device(enclave) -> str:
    """The device `zero` in the workspace, made by the host's root, since the session cannot."""
    name = submitting.fresh()
    os.mknod(submitting.workspace(enclave) / name, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    return name


def test_control_a_plain_read_never_ends(enclave, inside) -> None:
    path = submitting.workspace(enclave) / make_device(enclave)
    with path.open("rb") as file:
        assert len(file.read(100 * 1024 * 1024)) == 100 * 1024 * 1024
    path.unlink()


def test_it_cannot_be_picked(enclave, inside) -> None:
    name = make_device(enclave)
    assert "no regular file" in submitting.refusal(enclave, name)
    (submitting.workspace(enclave) / name).unlink()


def test_nor_made_in_a_session(inside) -> None:
    assert not inside.shell(f"mknod /workspace/{submitting.fresh()} c 1 5").worked
