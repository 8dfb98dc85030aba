"""Look for datasets that were not granted.

Way: container
Control: stock DockerSpawner with a shared folder of data
Held by: each granted rendition is a mount of its own, and nothing else of the data root is
"""

ATTACK = """
from pathlib import Path
held = {path.name for path in Path("/data").iterdir()}
print(sorted(held))
assert held - GRANTED - {"ABOUT.md"}
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    assert stock_inside.python("GRANTED = set()\n" + ATTACK).worked


def test_only_what_was_granted_is_there(inside, granted) -> None:
    assert granted
    outcome = inside.python(f"GRANTED = {granted!r}\n" + ATTACK)
    assert not outcome.worked
    for dataset in granted:
        assert dataset in outcome.output
