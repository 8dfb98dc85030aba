"""Take data out through the clipboard of a session that is shown as pictures.

Way: gateway
Control: the same display with a viewer straight at its socket, as behind a proxy that only carries bytes
Held by: the gateway takes each message of the display apart; cut text, also the extended clipboard's, and the display's name
    are dropped
"""

import struct

from tests.pixels import MARK, SECRET, cut_text

EXTENDED = struct.pack(">B3xi", 3, -len(SECRET)) + SECRET
PAYLOAD = cut_text(3, SECRET) + EXTENDED + MARK


def test_control_it_passes_a_plain_proxy(evil_display) -> None:
    evil_display.set(PAYLOAD)
    assert evil_display.straight(b"", lambda data: data.endswith(MARK)).count(SECRET) == 3  # the name too


def test_the_gateway_lets_the_pixels_through_and_nothing_else(evil_display) -> None:
    evil_display.set(PAYLOAD)
    heard = evil_display.through_gateway(b"", lambda data: data.endswith(MARK))
    assert heard.data.endswith(MARK)
    assert SECRET not in heard.data
