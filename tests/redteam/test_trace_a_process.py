"""Attach to another process and read its memory.

Way: container
Control: stock DockerSpawner: Docker's own profile lets ptrace through
Held by: our narrower profile refuses ptrace and its kin
"""

ATTACK = """
import ctypes, os, subprocess
libc = ctypes.CDLL(None, use_errno=True)
other = subprocess.Popen(["sleep", "30"])
failed = libc.ptrace(16, other.pid, 0, 0)
other.kill()
if failed:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_no_process_is_traced(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "Operation not permitted" in outcome.output, outcome.output
