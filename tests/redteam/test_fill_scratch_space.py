"""Fill the machine's memory or disk through temporary files.

Way: container
Control: stock DockerSpawner
Bounded by: scratch space is a temporary file system with a size
"""

ATTACK = """
import os
status = os.statvfs("/tmp")
assert status.f_blocks * status.f_frsize > 2 << 30, f"only {status.f_blocks * status.f_frsize >> 20} MiB"
"""


def test_control_stock_has_no_bound(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_the_space_has_a_size(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "only 256 MiB" in outcome.output


def test_a_full_space_is_an_error_inside_alone(inside) -> None:
    outcome = inside.shell("head -c 400M /dev/zero > /tmp/full; rm -f /tmp/full")
    inside.shell("rm -f /tmp/full")
    assert "No space left on device" in outcome.output
