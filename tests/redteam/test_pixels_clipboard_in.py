"""Bring files in through the clipboard of a session that is shown as pictures.

Way: gateway
Control: the same display with a viewer straight at its socket
Held by: of what a viewer sends only keys, pointer and requests for pictures are passed on, and keys no faster than one types
"""

import time

from tests.pixels import KEY, MARK, SECRET, cut_text, until


def test_control_it_passes_a_plain_proxy(evil_display) -> None:
    evil_display.set(MARK)
    evil_display.straight(cut_text(6, SECRET) + KEY, lambda data: data.endswith(MARK))
    assert until(lambda: SECRET in evil_display.was_told())


def test_only_the_key_gets_through(evil_display) -> None:
    evil_display.set(b"")
    evil_display.through_gateway(cut_text(6, SECRET) + KEY, lambda data: KEY in evil_display.was_told())
    assert until(lambda: KEY in evil_display.was_told())
    assert SECRET not in evil_display.was_told()


def test_keys_come_no_faster_than_one_types(evil_display) -> None:
    evil_display.set(MARK)
    began = time.monotonic()
    evil_display.through_gateway(KEY * 600, lambda data: evil_display.was_told().count(KEY) == 600)
    assert evil_display.was_told().count(KEY) <= 240 + 128 + (time.monotonic() - began) * 60 + 1
