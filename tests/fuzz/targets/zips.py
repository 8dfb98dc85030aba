"""ZIP archives: directories that lie, members of every type, and what is looked into."""

from __future__ import annotations

import io
import struct
import zipfile

from tests.fuzz import looking, seeds
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target

_NAMES = (
    "a.csv",
    "b/c.txt",
    "../x",
    "/abs",
    "a.ipynb",
    "x.html",
    "x.svg",
    "data.pkl",
    "a.npy",
    "[Content_Types].xml",
    "xl/workbook.xml",
    "mimetype",
    "d/",
    "a.zip",
    "x.json",
    "c:x",
    "a.csv",
)
_BODIES = (
    b"sex,n\nF,120\nM,130\n",
    b'{"cells": 1, "nbformat": 4}',
    b"<html><p>x",
    b"\x80\x04\x95.",
    b"\x93NUMPY\x01\x00",
    b"PK\x03\x04",
    b"",
    b"<svg></svg>",
    b"0" * 100_000,
)
_METHODS = (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2)


def run(data: bytes) -> None:
    choices = Choices(data)
    name = choices.pick(("out.zip", "out.xlsx", "model.pt", "a.npz", "out.docx"))
    body = choices.rest() if choices.number(3) == 0 else archive(choices)
    looking.checked(name, body)


def archive(choices: Choices) -> bytes:
    """A ZIP in which some fields of its headers say something else than is so."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for _ in range(choices.number(5)):
            info = zipfile.ZipInfo(choices.pick(_NAMES))
            info.compress_type = choices.pick(_METHODS)
            info.extra = choices.pick(
                (b"", b"", b"\x01\x00\x08\x00" + b"\xff" * 8, b"\x75\x70\x05\x00\x01abcd", choices.some(12))
            )
            info.external_attr = choices.pick((0, 0o120777 << 16))
            made.writestr(info, choices.pick(_BODIES) if choices.flag() else choices.some(200))
        made.comment = choices.pick((b"", b"", b"x" * 9))
    body = bytearray(out.getvalue())
    for _ in range(choices.number(3)):
        mark = choices.pick((b"PK\x01\x02", b"PK\x05\x06", b"PK\x03\x04"))
        start = body.find(mark)
        if start >= 0 and len(body) > start + 46:
            at = start + 4 + choices.number(41)
            value = choices.pick(
                (
                    b"\x00",
                    b"\x01",
                    b"\x07",
                    b"\xff",
                    b"\x63",
                    struct.pack("<H", 0x7FFF),
                    b"\xff\xff\xff\xff",
                    b"\x0c",
                    b"\x0e",
                )
            )
            body[at : at + len(value)] = value
    return bytes(body) + choices.some(4)


def start() -> list[bytes]:
    made = [b"\x00\x00" + body for body in seeds.files(".zip", ".docx", ".npz", ".pt", ".keras")]
    return made + [bytes([n % 5, 1 + n % 3]) + bytes(range(n * 3, n * 3 + 60)) for n in range(24)]


TARGET = Target(
    "zips",
    "ZIP archives and what is in them",
    run,
    start,
    (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"),
    share=1.5,
)
