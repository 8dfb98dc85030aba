"""Carry data in extensions of the protocol of a session that is shown as pictures.

Way: gateway
Control: the same display with a viewer straight at its socket
Held by: a message or an encoding that is not one of the few the gateway knows to the last byte ends the connection; what no
    screen shows of the others is set to zero
"""

import struct

import pytest

from hub.gateway import rfb
from tests.pixels import KEY, MARK, SECRET, rectangle, until, update

DISPLAY_NAME = rectangle(0, 0, 0, 0, -307, struct.pack(">I", len(SECRET)) + SECRET)
FROM_DISPLAY = {
    "colours": struct.pack(">BxHH", 1, 0, 6) + SECRET,
    "fence": struct.pack(">B3xIB", 248, 0, len(SECRET)) + SECRET,
    "file transfer": bytes([7, 0, 0, len(SECRET)]) + SECRET,
    "server's own": b"\xff\x01" + SECRET,
    "name": update(DISPLAY_NAME),
    "compressed": update(rectangle(0, 0, 4, 4, 6, struct.pack(">I", len(SECRET)) + SECRET)),
    "tile": update(rectangle(0, 0, 16, 16, rfb.HEXTILE, b"\x80" + SECRET)),
}
FROM_VIEWER = {
    "fence": struct.pack(">B3xIB", 248, 0, len(SECRET)) + SECRET,
    "file transfer": bytes([7, 0, 0, len(SECRET)]) + SECRET,
    "size": struct.pack(">BxHHBx", 251, 640, 480, 0) + SECRET,
    "keys of a machine": struct.pack(">BBHII", 255, 0, 1, 97, 30) + SECRET,
}


@pytest.mark.parametrize("what", FROM_DISPLAY)
def test_control_a_plain_proxy_passes_it_outwards(evil_display, what) -> None:
    evil_display.set(FROM_DISPLAY[what] + MARK)
    assert SECRET in evil_display.straight(b"", lambda data: data.endswith(MARK))


@pytest.mark.parametrize("what", FROM_DISPLAY)
def test_the_gateway_ends_it_outwards(evil_display, what) -> None:
    evil_display.set(MARK + FROM_DISPLAY[what] + MARK)
    heard = evil_display.through_gateway(b"", lambda _data: False)
    assert heard.closed
    assert SECRET not in heard.data


@pytest.mark.parametrize("what", FROM_VIEWER)
def test_control_a_plain_proxy_passes_it_inwards(evil_display, what) -> None:
    evil_display.set(MARK)
    evil_display.straight(FROM_VIEWER[what], lambda data: data.endswith(MARK))
    assert until(lambda: SECRET in evil_display.was_told())


@pytest.mark.parametrize("what", FROM_VIEWER)
def test_the_gateway_ends_it_inwards(evil_display, what) -> None:
    evil_display.set(MARK)
    heard = evil_display.through_gateway(FROM_VIEWER[what] + KEY, lambda _data: False)
    assert heard.closed
    assert SECRET not in evil_display.was_told()


def test_what_no_screen_shows_is_set_to_zero(evil_display) -> None:
    hidden = b"".join(b"abc" + SECRET[i : i + 1] for i in range(16))
    evil_display.set(update(rectangle(0, 0, 16, 1, rfb.RAW, hidden)) + MARK)
    heard = evil_display.through_gateway(b"", lambda data: data.endswith(MARK))
    assert b"abc\0" * 16 in heard.data
