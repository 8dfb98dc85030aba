"""Write packets by hand.

Way: container
Control: a container whose root has Docker's default capabilities
Held by: no CAP_NET_RAW, and only unix and loopback families pass the seccomp profile
"""

from tests.redteam.inside import weak_container

ATTACK = """
import socket
socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("-u", "0") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_no_raw_socket(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "Operation not permitted" in outcome.output, outcome.output
