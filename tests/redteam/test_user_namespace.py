"""Become root in a user namespace of one's own.

Way: container
Control: a container without a seccomp profile
Held by: the seccomp profile refuses every call that makes a namespace
"""

from tests.redteam.inside import weak_container

ATTACK = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000):
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_no_namespace_is_made(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "Operation not permitted" in outcome.output, outcome.output
