"""See the processes of the host and of other sessions.

Way: container
Control: a container in the host's process namespace
Held by: a process namespace a session
"""

from tests.redteam.inside import weak_container

ATTACK = """
import os
assert "dockerd" in {open(f"/proc/{name}/comm").read().strip() for name in os.listdir("/proc") if name.isdigit() and os.path.exists(f"/proc/{name}/comm")}
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("-u", "0", "--pid", "host") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_only_its_own_are_there(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "AssertionError" in outcome.output, outcome.output
