"""Do input and output behind the seccomp profile's back by io_uring.

Way: container
Control: stock DockerSpawner: Docker 20.10's own profile lets it through
Held by: our narrower profile refuses it
"""

ATTACK = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall(425, 1, 0)
assert ctypes.get_errno() == errno.EFAULT, errno.errorcode[ctypes.get_errno()]
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_the_call_is_refused(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "EPERM" in outcome.output, outcome.output
