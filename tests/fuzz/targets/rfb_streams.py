"""The display's and the viewer's side of the framebuffer protocol, cut anywhere."""

from __future__ import annotations

import struct

from access_control.errors import Invalid
from hub.gateway import rfb
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds

_SIZES = ((64, 48), (1, 1), (17, 33), (700, 300))


def run(data: bytes) -> None:
    choices = Choices(data)
    width, height = choices.pick(_SIZES)
    if choices.flag():
        _display(choices, width, height)
    else:
        _viewer(choices, width, height)


def _display(choices: Choices, width: int, height: int) -> None:
    stream = (
        choices.rest()
        if choices.number(3) == 0
        else b"".join(_update(choices, width, height) for _ in range(choices.number(5)))
    )
    whole, pieces = rfb.FromDisplay(width, height), rfb.FromDisplay(width, height)
    passed = _fed(whole, [stream])
    cut = _fed(pieces, [stream[i : i + 7] for i in range(0, len(stream), 7)])
    # The one that is fed at once may stop before it hands out what came before a fault.
    holds(cut is None or passed is None or passed == cut, "it does not matter where bytes are cut")
    holds((passed is None) == (cut is None), "a fault is a fault wherever bytes are cut")
    if passed:
        holds(len(passed) <= len(stream), "nothing is added")
        again = rfb.FromDisplay(width, height)
        holds(_fed(again, [passed]) == passed, "what passed passes again as it is")
        holds(again.dropped == 0, "nothing is left to drop")


def _fed(reader: rfb.FromDisplay, pieces: list[bytes]) -> bytes | None:
    try:
        return b"".join(reader.feed(piece) for piece in pieces)
    except Invalid:
        return None


def _update(choices: Choices, width: int, height: int) -> bytes:
    kind = choices.number(9)
    if kind == 0:
        return b"\x02"
    if kind == 1:
        text = choices.some(20)
        size = choices.pick((len(text), -len(text), 2**31 - 1, -(2**31), 0))
        return struct.pack(">B3xi", 3, size) + text
    rectangles = [_rectangle(choices, width, height) for _ in range(choices.number(3))]
    return struct.pack(">BxH", 0, len(rectangles)) + b"".join(rectangles)


def _rectangle(choices: Choices, width: int, height: int) -> bytes:
    encoding = choices.pick((0, 1, 5, -239, 5, 5, 7, 16))
    w, h = choices.pick((0, 1, 16, 17, width)), choices.pick((0, 1, 16, 17, height))
    x, y = choices.pick((0, 0, 0, 1, width - 1, 65535)), choices.pick((0, 0, 1, height - 1))
    head = struct.pack(">HHHHi", x, y, w, h, encoding)
    if encoding == 1:
        return head + choices.take(4)
    if encoding == 0:
        return head + (choices.some(40) * (w * h))[: w * h * 4]
    if encoding == -239:
        return head + (choices.some(40) * (w * h + h))[: w * h * 4 + (w + 7) // 8 * h]
    body = b""
    for top in range(0, h if h <= 64 else 0, 16):
        for left in range(0, w if w <= 64 else 0, 16):
            how = choices.number(35)
            body += bytes([how])
            if how & 1:
                body += (choices.some(16) * 300)[: min(16, w - left) * min(16, h - top) * 4]
                continue
            body += choices.take(4 * (bool(how & 2) + bool(how & 4)))
            if how & 8:
                parts = choices.number(3)
                body += bytes([parts]) + choices.take(parts * (6 if how & 16 else 2))
    return head + body


def _viewer(choices: Choices, width: int, height: int) -> None:
    viewer = rfb.FromViewer(width, height)
    stream = rfb.VERSION + b"\x01\x01" if choices.number(3) else b""
    stream += choices.rest()
    inwards = b""
    try:
        for start in range(0, len(stream), 1 + choices.number(0)):
            passed, _ = viewer.feed(stream[start : start + 1])
            inwards += passed
    except Invalid:
        pass
    holds(viewer.dropped >= 0 and len(viewer._held) <= 4 + 4 * 65535 + 20, "no more is held than one message")
    at = 0
    while at < len(inwards):
        size = {3: 10, 4: 8, 5: 6}.get(inwards[at])
        holds(size is not None and at + size <= len(inwards), "only requests, keys and the pointer go in")
        at += size or 1


def start() -> list[bytes]:
    viewer = (
        b"\x00\x00\x01"
        b"\x03\x00"
        + struct.pack(">HHHH", 0, 0, 64, 48)
        + b"\x04\x01\x00\x00\x00\x00\x00A"
        + b"\x05\x01\x00\x05\x00\x06"
        + b"\x06\x00\x00\x00\x00\x00\x00\x02hi"
    )
    update = b"\x00\x01\x00" + struct.pack(">BxH", 0, 1) + struct.pack(">HHHHi", 0, 0, 16, 16, 5) + b"\x02abcd"
    return [viewer, update] + [bytes([n % 4, n % 2, 1]) + bytes(range(n * 7, n * 7 + 90)) for n in range(20)]


TARGET = Target(
    "rfb_streams",
    "the framebuffer protocol of displays and viewers",
    run,
    start,
    (b"\x00\x00\x00\x01", b"\xff\xff\xff\x11", b"\x00\x00\x00\x05", rfb.VERSION),
)
