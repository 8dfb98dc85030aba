"""Raise the session's own limits, or run a program of the host by a release agent.

Way: container
Control: a container of root that is given the cgroups
Held by: cgroups are mounted read-only, without capabilities
"""

from tests.redteam.inside import weak_container

ATTACK = """
import glob
name = next(iter(glob.glob("/sys/fs/cgroup/memory/cgroup.procs") + glob.glob("/sys/fs/cgroup/cgroup.procs")))
open(name, "w").close()
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("-u", "0", "-v", "/sys/fs/cgroup:/sys/fs/cgroup") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_the_limits_stay(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert (
        "Read-only file system" in outcome.output
        or "Permission denied" in outcome.output
        or "Operation not permitted" in outcome.output
        or "StopIteration" in outcome.output
    ), outcome.output
