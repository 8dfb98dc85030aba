"""Make a device node by hand.

Way: container
Control: a container whose root has Docker's default capabilities
Held by: no CAP_MKNOD, and `nodev` scratch space
"""

from tests.redteam.inside import weak_container

ATTACK = """
import os, stat
os.mknod("/tmp/node", stat.S_IFBLK | 0o600, os.makedev(254, 0))
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("-u", "0") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_no_node_is_made(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "Operation not permitted" in outcome.output, outcome.output
