"""Reach the hypervisor by AF_VSOCK, which no network setting closes.

Way: container
Control: stock DockerSpawner
Held by: the seccomp profile lets no family through but unix, IPv4, IPv6 and route queries
"""

ATTACK = """
import socket
socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_the_family_is_refused(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "Operation not permitted" in outcome.output, outcome.output
