"""Give a dataset's file a second name that may be written.

Way: container
Control: stock DockerSpawner
Held by: no link crosses a mount, and the mount takes no new name
"""

ATTACK = """
from pathlib import Path
file = next(path for path in Path("/data").rglob("data.*") if path.is_file())
import os
os.link(file, file.with_name("link"))
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_no_second_name(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert (
        "Read-only file system" in outcome.output
        or "Permission denied" in outcome.output
        or "Operation not permitted" in outcome.output
        or "Invalid cross-device link" in outcome.output
    ), outcome.output
