"""Append a row to a dataset's file.

Way: container
Control: stock DockerSpawner, whose `read_only_volumes` with a mode of `rw` mounts read-write
Held by: bind mounts that are read-only, made with `mounts` and never with `volumes`
"""

ATTACK = """
from pathlib import Path
file = next(path for path in Path("/data").rglob("data.*") if path.is_file())
with file.open("a") as opened:
    opened.write("3,positive\\n")
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_the_dataset_stays_as_it_is(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert (
        "Read-only file system" in outcome.output
        or "Permission denied" in outcome.output
        or "Operation not permitted" in outcome.output
    ), outcome.output
