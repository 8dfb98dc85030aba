"""Have the host's core-dump handler run, or write a core to a place of one's choice.

Way: container
Control: a container without the limit
Held by: core dumps have the limit 0
"""

from tests.redteam.inside import weak_container

ATTACK = """
import resource
resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("--ulimit", "core=-1") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_the_limit_cannot_be_raised(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "not allowed to raise maximum limit" in outcome.output, outcome.output
