"""Speak to a port of the host.

Way: container
Control: stock DockerSpawner
Held by: `network none`: there is no interface but loopback
"""

import socket

from tests.redteam.stock import bridge_address

ATTACK = """
import socket
socket.create_connection((HOST, PORT), 5).close()
"""


def attack(port: int) -> str:
    return f"HOST, PORT = {bridge_address()!r}, {port}\n" + ATTACK


def listener() -> socket.socket:
    server = socket.create_server(("0.0.0.0", 0))
    server.settimeout(20)
    return server


def test_control_it_works_at_stock(stock_inside) -> None:
    with listener() as server:
        outcome = stock_inside.python(attack(server.getsockname()[1]))
        assert outcome.worked, outcome.output
        server.accept()[0].close()


def test_the_host_is_out_of_reach(inside) -> None:
    with listener() as server:
        outcome = inside.python(attack(server.getsockname()[1]))
    assert not outcome.worked
    assert "Network is unreachable" in outcome.output
