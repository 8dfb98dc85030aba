"""Identifiers in text, the audit of names, and tables that programs print: pure functions over any text."""

from __future__ import annotations

import re

from egress_review import identifiers, printed_tables
from tests.fuzz import seeds
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds

_BITS = ("943 476 5919", "DE89370400440532013000", "4111 1111 1111 1111", "AB123456C", "123-45-6789", "+44 20 7946 0958", "10.1.2.3", "aa:bb:cc:dd:ee:ff", "SW1A 1AA", "12345678Z",
         "X1234567L", "131052-308T", "a@b.org", "@", ".", "-", " ", "RSSMRA85T10A562S", "lat", "51.5074, -0.1278", "1800101123450", "٣", "²", "0" * 30, "\n", "|", "  ", "---", "│", "&", "\\\\")  # fmt: skip


def run(data: bytes) -> None:
    choices = Choices(data)
    text = (
        choices.rest().decode("utf-8", "replace")
        if choices.number(3) == 0
        else "".join(choices.text(_BITS) for _ in range(choices.number(60)))
    )
    text = text.encode("utf-8", "replace").decode()  # as every decoded file is
    for hit in identifiers.hits(text):
        holds(re.fullmatch(r"(?s).{0,2}…\(\d+ characters\)", hit.masked), "an identifier is not told")
    identifiers.in_context(text)
    for table in (*printed_tables.tables_in("x", text), *printed_tables.log_tables("x", text)):
        holds(
            len(table.header) == table.width and len({len(column) for column in table.columns}) == 1,
            "a table is a rectangle",
        )
        for column in range(table.width):
            table.numbers(column)


def start() -> list[bytes]:
    return [b"\x00" + body for body in seeds.files(".txt", ".md", ".log")] + [
        b"\x01" + bytes(range(n * 9, n * 9 + 60)) for n in range(20)
    ]


TARGET = Target(
    "identifiers", "identifiers and printed tables in text", run, start, tuple(bit.encode() for bit in _BITS)
)
