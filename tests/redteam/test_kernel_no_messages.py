"""Speak another protocol over a kernel's websocket: bare text, bare bytes, broken and compressed frames.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: what is no message of a kernel ends the connection
"""

import zlib

import pytest

from tests.redteam import wire


def compressed(payload: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)[:-4]


FORMS = {
    "bare text": wire.frame(wire.TEXT, wire.SECRET),
    "bare bytes": wire.frame(wire.BINARY, wire.SECRET),
    "JSON that is no message": wire.frame(wire.TEXT, b'{"text": "%s"}' % wire.SECRET),
    "a frame of no known kind": wire.frame(3, wire.SECRET),
    "a reserved bit": wire.frame(wire.TEXT, wire.SECRET, first_bits=0xA0),
    "unasked compression": wire.frame(wire.TEXT, compressed(wire.SECRET * 1000), first_bits=0xC0),
    "pieces without an end": wire.frame(wire.TEXT, wire.SECRET, first_bits=0x00) + wire.frame(0, wire.SECRET, 0x00),
}


def test_control_they_pass_a_plain_proxy() -> None:
    assert wire.through_plain_proxy(b"".join(FORMS.values()) + wire.the_end()).count(wire.SECRET) >= len(FORMS) - 1


@pytest.mark.parametrize("form", FORMS)
def test_the_gateway_ends_the_connection(evil_session, form) -> None:
    got = wire.through_gateway(evil_session, FORMS[form] + wire.the_end())
    assert b"101 Switching" in got[:40]
    assert wire.SECRET not in got
    assert wire.END not in got
