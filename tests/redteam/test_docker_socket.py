"""Find Docker's socket and start a container with the host's root.

Way: container
Control: a container that is given the socket, as many set-ups do
Held by: no socket of the host is mounted but the session's own
"""

from tests.redteam.inside import weak_container

ATTACK = """
import socket
socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock")
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("-u", "0", "-v", "/var/run/docker.sock:/var/run/docker.sock") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_there_is_no_socket(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "No such file or directory" in outcome.output, outcome.output
