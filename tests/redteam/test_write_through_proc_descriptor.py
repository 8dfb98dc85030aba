"""Open a dataset for reading and open it again for writing through /proc/self/fd.

Way: container
Control: stock DockerSpawner
Held by: the mount is read-only, so every way to the same file is
"""

ATTACK = """
from pathlib import Path
file = next(path for path in Path("/data").rglob("data.*") if path.is_file())
import os
read = os.open(file, os.O_RDONLY)
write = os.open(f"/proc/self/fd/{read}", os.O_RDWR)
os.pwrite(write, b"x", 0)
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_no_descriptor_becomes_writable(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert (
        "Read-only file system" in outcome.output
        or "Permission denied" in outcome.output
        or "Operation not permitted" in outcome.output
    ), outcome.output
