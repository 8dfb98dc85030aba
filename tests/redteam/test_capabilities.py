"""Find a capability that was left.

Way: container
Control: a container of root with Docker's default capabilities
Held by: every capability is dropped
"""

from tests.redteam.inside import weak_container

ATTACK = """
sets = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines() if line.startswith("Cap"))
assert any(int(value, 16) for value in sets.values()), sets
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("-u", "0") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_all_sets_are_empty(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "AssertionError" in outcome.output, outcome.output
