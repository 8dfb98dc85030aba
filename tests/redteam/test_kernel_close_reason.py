"""Carry records out in the reason that a kernel's websocket is closed with.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: the gateway closes with codes and words of its own
"""

from tests.redteam import wire

END = wire.message("stream", {"name": "stdout", "text": wire.END.decode()})
FRAMES = END + wire.frame(wire.CLOSE, (3333).to_bytes(2, "big") + wire.SECRET)


def test_control_it_passes_a_plain_proxy() -> None:
    assert wire.SECRET in wire.through_plain_proxy(FRAMES, until=wire.SECRET)


def test_the_gateway_says_it_in_its_own_words(evil_session) -> None:
    got = wire.through_gateway(evil_session, FRAMES)
    assert wire.END in got
    assert wire.SECRET not in got
    assert (3333).to_bytes(2, "big") not in got[got.index(wire.END) :]
