"""CSV files that a data steward adds: header, structure, and the scan that runs beside the reader."""

from __future__ import annotations

import codecs
import csv
import io
import os
import tempfile
from pathlib import Path

from access_control.csv_structure import Scan, find_fault, header_of
from access_control.errors import Invalid
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds

_BITS = (
    "a",
    "b",
    ",",
    ";",
    '"',
    '""',
    "\n",
    "\r\n",
    "\r",
    "007",
    "+44",
    "-07",
    "0",
    "1.5",
    " ",
    "\u00e9",
    "\ufeff",
    "\0",
    '",',
    ',"',
    "\u2028",
    "x" * 40,
    "\x0b",
    "\x1c",
    "\x85",
)


def run(data: bytes) -> None:
    choices = Choices(data)
    size = 1 + choices.number(30)
    body = (
        choices.rest()
        if choices.number(2) == 0
        else "".join(choices.text(_BITS) for _ in range(choices.number(50))).encode("utf-8", "replace")
    )
    delimiter = choices.pick((None, ",", ";", "\t"))
    whole, cut = Scan(ord(delimiter or ",")), Scan(ord(delimiter or ","))
    whole.feed(body)
    for at in range(0, len(body), size):
        cut.feed(body[at : at + size])
    holds(whole.finish() == cut.finish(), "the hash is that of all bytes")
    said = [(scan.leading_zeros, scan.odd_quotes, scan.nul) for scan in (whole, cut)]
    holds(said[0] == said[1], f"it does not matter where bytes are cut: {said}")
    descriptor, name = tempfile.mkstemp(prefix="fuzz-", suffix=".csv")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
        path = Path(name)
        try:
            names, separator = header_of(path, delimiter)
        except Invalid:
            return
        holds(names and len(set(names)) == len(names), "names of columns are different")
        fault = find_fault(path, separator)
        if fault is None and not whole.odd_quotes:
            text = codecs.decode(body, "utf-8-sig")
            rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
            holds(len({len(row) for row in rows}) <= 1, "a file without fault is a rectangle")
    finally:
        os.unlink(name)


def start() -> list[bytes]:
    return [b"\x05\x00" + b"a,b\n1,2\n", b"\x05\x00" + b'a;b\n"x;y";007\n'] + [
        bytes([n, 1]) + bytes(range(n * 5, n * 5 + 60)) for n in range(20)
    ]


TARGET = Target(
    "csv_ingest", "CSV files that are added as data", run, start, tuple(bit.encode() for bit in _BITS), share=0.7
)
