"""Make a dataset's file writable for everybody.

Way: container
Control: stock DockerSpawner
Held by: the read-only mount, and files that belong to another user
"""

ATTACK = """
from pathlib import Path
file = next(path for path in Path("/data").rglob("data.*") if path.is_file())
file.chmod(0o666)
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_the_mode_stays(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert (
        "Read-only file system" in outcome.output
        or "Permission denied" in outcome.output
        or "Operation not permitted" in outcome.output
    ), outcome.output
