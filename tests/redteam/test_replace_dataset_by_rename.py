"""Put another file in the place of a dataset's.

Way: container
Control: stock DockerSpawner
Held by: the read-only mount covers the folder
"""

ATTACK = """
from pathlib import Path
file = next(path for path in Path("/data").rglob("data.*") if path.is_file())
import os
other = file.with_name("other")
other.write_bytes(file.read_bytes())
os.replace(other, file)
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_the_folder_takes_no_file(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert (
        "Read-only file system" in outcome.output
        or "Permission denied" in outcome.output
        or "Operation not permitted" in outcome.output
    ), outcome.output
