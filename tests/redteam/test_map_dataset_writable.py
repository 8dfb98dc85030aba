"""Map a dataset into memory for shared writing.

Way: container
Control: stock DockerSpawner
Held by: a file of a read-only mount cannot be opened for writing, which such a mapping needs
"""

ATTACK = """
from pathlib import Path
file = next(path for path in Path("/data").rglob("data.*") if path.is_file())
import mmap
with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapped:
    mapped[0:1] = b"x"
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_no_writable_mapping(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert (
        "Read-only file system" in outcome.output
        or "Permission denied" in outcome.output
        or "Operation not permitted" in outcome.output
    ), outcome.output
