"""Run a display that never stops, or lies about lengths, in a session that is shown as pictures.

Way: gateway
Control: the same display with a viewer straight at its socket
Held by: pixels are counted by the tier's budget, which pauses the session; nothing is held that is not whole but the part
    being read; a length that the screen's size does not bear ends the connection
"""

import struct

import pytest

from hub.gateway import rfb
from hub.gateway.websockets import PAUSED
from tests.pixels import HEIGHT, MARK, WHOLE, WIDTH, evil_display, rectangle, update

MIB = 1024 * 1024
LIES = {
    "cut text of gigabytes": struct.pack(">B3xI", 3, 0x7FFFFFFF),
    "a screen wider than it is": update(rectangle(0, 0, 0xFFFF, 0xFFFF, rfb.RAW, b"")),
    "pixels beyond the edge": update(rectangle(WIDTH - 1, 0, 2, 1, rfb.RAW, b"")),
    "copies from beyond the edge": update(rectangle(0, 0, WIDTH, HEIGHT, rfb.COPY, b"\xff" * 4)),
    "a pointer larger than the screen": update(rectangle(0, 0, 0xFFFF, 0xFFFF, rfb.POINTER_SHAPE, b"")),
    "an update of many screens": struct.pack(">BxH", 0, 0xFFFF) + WHOLE[4:] * 8,
}


@pytest.mark.parametrize("lie", LIES)
def test_control_a_plain_proxy_goes_on(evil_display, lie) -> None:
    evil_display.set(LIES[lie] + MARK)
    assert evil_display.straight(b"", lambda data: data.endswith(MARK)).endswith(LIES[lie] + MARK)


@pytest.mark.parametrize("lie", LIES)
def test_the_gateway_ends_it(evil_display, lie) -> None:
    evil_display.set(MARK + LIES[lie] + MARK)
    heard = evil_display.through_gateway(b"", lambda _data: False)
    assert heard.closed
    assert heard.data.count(MARK) <= 1


@pytest.fixture
def endless(pixels):
    """The budget that this uses up is bo's own."""
    with evil_display(pixels, "bo") as display:
        display.set(b"", WHOLE)
        yield display


def gateway_mib(enclave) -> int:
    with open(f"/proc/{enclave.pid('gateway')}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


def test_a_display_that_never_stops_is_paused(pixels, endless) -> None:
    assert len(endless.straight(b"", lambda data: len(data) > 20 * MIB)) > 20 * MIB
    before = gateway_mib(pixels)
    heard = endless.through_gateway(b"", lambda _data: False)
    assert heard.closed == PAUSED
    assert len(heard.data) < 20 * MIB
    assert gateway_mib(pixels) - before < 100
