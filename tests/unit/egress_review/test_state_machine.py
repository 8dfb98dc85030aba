"""Whatever people do, in whatever order: nothing leaves without its quorum, and nothing but the bytes that were reviewed.

Walks drawn from numbers are long, and have to reach every state; Hypothesis looks for short ways to break the same rules.
"""

import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from egress_world import World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
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


class Queue(RuleBasedStateMachine):
    """The same people and the same book; Hypothesis says who does what, and shortens what fails."""

    template: Path

    @initialize()
    def build(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="enclave-machine-"))
        shutil.copytree(self.template, self.root / "enclave")
        self.world = World(self.root / "enclave", build=False)
        self.walk = Walk(self.world, 0)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.close()
            shutil.rmtree(self.root)

    @rule(share=st.floats(0, 1, exclude_max=True), dice=st.randoms(use_true_random=False))
    def step(self, share: float, dice: random.Random) -> None:
        actions, weights = zip(*self.walk.actions(), strict=True)
        at = share * sum(weights)
        chosen = next(n for n in range(len(weights)) if at < sum(weights[: n + 1]))
        self.walk.random = dice
        self.walk.do(actions[chosen])


@pytest.mark.timeout(900)
def test_hypothesis_finds_no_short_way_out_either(built: Path) -> None:
    class Here(Queue):
        template = built

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
