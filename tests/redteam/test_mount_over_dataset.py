"""Lay a file system of one's own over a dataset.

Way: container
Control: a container whose root has CAP_SYS_ADMIN and no seccomp profile
Held by: no capabilities; `mount` is refused by the seccomp profile
"""

from tests.redteam.inside import weak_container

ATTACK = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"none", b"/data" if os.path.isdir("/data") else b"/mnt", b"tmpfs", 0, None):
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container(
        "-u",
        "0",
        "--cap-add",
        "SYS_ADMIN",
        "--security-opt",
        "seccomp=unconfined",
        "--security-opt",
        "apparmor=unconfined",
    ) as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_nothing_is_mounted(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "Operation not permitted" in outcome.output, outcome.output
