"""Carry records out in the headers that a kernel's websocket is opened with.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: the handshake with the browser is the gateway's own
"""

from tests.redteam import wire

EXTRA = b"".join(b"X-Record-%d: %s\r\nSet-Cookie: r%d=%s\r\n" % (n, wire.SECRET, n, wire.SECRET) for n in range(8))


def test_control_it_passes_a_plain_proxy() -> None:
    assert wire.through_plain_proxy(wire.the_end(), EXTRA).count(wire.SECRET) == 16


def test_the_gateway_passes_none_of_them(evil_session) -> None:
    got = wire.through_gateway(evil_session, wire.the_end(), EXTRA)
    assert wire.END in got
    assert wire.SECRET not in got
