"""Ask the cloud's metadata service.

Way: container
Control: stock DockerSpawner, where the address has a route
Held by: no route anywhere
"""

ATTACK = """
import socket
probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
probe.connect(("169.254.169.254", 80))  # finds a route, sends nothing
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_there_is_no_route(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "Network is unreachable" in outcome.output, outcome.output
