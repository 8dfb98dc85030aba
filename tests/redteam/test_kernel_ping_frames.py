"""Carry records out in pings and pongs of a kernel's websocket, which no meter of messages sees.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: pings of a container are answered at the gateway and never passed on
"""

from tests.redteam import wire

FRAMES = (
    b"".join(wire.frame(kind, wire.SECRET * 7) for kind in (wire.PING, wire.PONG) for _ in range(20)) + wire.the_end()
)


def test_control_it_passes_a_plain_proxy() -> None:
    assert wire.through_plain_proxy(FRAMES).count(wire.SECRET) == 280


def test_the_gateway_keeps_them(evil_session) -> None:
    got = wire.through_gateway(evil_session, FRAMES)
    assert wire.END in got
    assert wire.SECRET not in got
