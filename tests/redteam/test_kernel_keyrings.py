"""Keep data in a kernel keyring, which containers share.

Way: container
Control: a container without a seccomp profile
Held by: the seccomp profile refuses the keyring's calls
"""

from tests.redteam.inside import weak_container

ATTACK = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(248, b"user", b"leak", b"secret", 6, -3) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("--security-opt", "seccomp=unconfined") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_no_key_is_kept(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "Operation not permitted" in outcome.output, outcome.output
