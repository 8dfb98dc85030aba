"""PNG and JPEG: a PNG is put together from chunks whose checksums are right, so that what is in them is read."""

from __future__ import annotations

import struct
import zlib

from tests.fuzz import looking, seeds
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target

_NAMES = (
    b"IDAT",
    b"IDAT",
    b"PLTE",
    b"tRNS",
    b"tEXt",
    b"iTXt",
    b"zTXt",
    b"tIME",
    b"gAMA",
    b"iCCP",
    b"acTL",
    b"fcTL",
    b"fdAT",
    b"eXIf",
    b"pHYs",
    b"IEND",
    b"IHDR",
    b"cICP",
    b"sBIT",
)


def run(data: bytes) -> None:
    choices = Choices(data)
    how = choices.number(3)
    if how == 0:
        looking.checked("fig.png", choices.rest())
    elif how == 1:
        looking.checked("fig.jpg", choices.rest())
    else:
        looking.checked("fig.png", _png(choices))


def _png(choices: Choices) -> bytes:
    sides = (1, 2, 3, 9, 0, 100, 65535, 2**31 - 1, 2**32 - 1, 7745)
    width, height = choices.pick(sides), choices.pick(sides)
    depth, colour = choices.pick((8, 8, 1, 2, 4, 16, 0, 255)), choices.pick((2, 6, 0, 3, 4, 1, 255))
    made = b"\x89PNG\r\n\x1a\n" + _chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, choices.number(2))
    )
    for _ in range(choices.number(6)):
        body = choices.some(200)
        name = choices.pick(_NAMES)
        if name in (b"IDAT", b"fdAT"):
            body = zlib.compress(body * choices.pick((1, 1, 10, 10_000)))
        elif name == b"PLTE" and choices.flag():
            body = (body * 3)[: 3 * (len(body) // 3)]
        made += _chunk(name, body)
    if choices.flag():
        made += _chunk(b"IDAT", zlib.compress(bytes(range(64)) * choices.pick((1, 10))))
    return made + (_chunk(b"IEND", b"") if choices.flag() else b"") + choices.some(8)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def start() -> list[bytes]:
    made = [b"\x00" + body for body in seeds.files(".png")] + [b"\x01" + body for body in seeds.files(".jpg", ".jpeg")]
    return made + [b"\x02" + bytes(range(n, n + 60)) for n in range(12)]


TARGET = Target(
    "images",
    "PNG and JPEG pictures",
    run,
    start,
    (*_NAMES, b"\xff\xe1", b"\xff\xda", b"\xff\xc0", b"\xff\xfe", b"Exif\x00\x00"),
)
