"""Whatever people do, in whatever order: nothing leaves without its quorum, and nothing but the bytes that were reviewed."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from egress_world import World
from queue_walk import Walk

WALKS, STEPS = 16, 100
# Where the walks have to have been, or they show nothing.
PLACES = {
    "released", "changes asked", "rejected", "frozen", "revoked", "expired", "withdrawn",
    "appealed", "download", "votes kept", "votes lost", "two owners", "more mounted",
}  # fmt: skip


def walk(built: Path, folder: Path, number: int) -> Counter[str]:
    """One walk; what fails in it is told with the number and the steps that led to it."""
    shutil.copytree(built, folder)
    world = World(folder, build=False)
    try:
        going = Walk(world, number)
        try:
            for _ in range(STEPS):
                going.step()
        except AssertionError as error:
            error.add_note(f"walk {number}: {' '.join(going.trace)}")
            raise
        return going.been
    finally:
        world.close()


@pytest.mark.timeout(900)
def test_no_sequence_of_calls_lets_anything_else_out(built: Path, tmp_path: Path) -> None:
    been: Counter[str] = Counter()
    for number in range(WALKS):
        been += walk(built, tmp_path / str(number), number)
    assert PLACES - set(been) == set(), been
