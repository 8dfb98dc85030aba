"""A policy as CSV, row by row, and the conditions of a model."""

from __future__ import annotations

import csv
import io

from access_control import conditions
from access_control.errors import Refused
from access_control.validation import COLUMNS, RowReader, check_rows, read_policy
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds

_ROW = (
    "AGR-1",
    "allow",
    "researcher",
    "project:p17",
    "data:hiv",
    "mount",
    "any",
    "any",
    "2026-01-01",
    "2026-12-31",
    "any",
    "none",
)
_BITS = (
    *_ROW,
    "deny",
    "data:hiv/x",
    "any|EU",
    "",
    "*",
    "|",
    "2026-02-30",
    "0000-00-00",
    "'",
    '"',
    "\0",
    "lead",
    "<anyone>",
    "x" * 70,
    "2026-13-01",
    "٢٠٢٦-01-01",
    "EU|UK",
    "project:*",
    "\u00e9",
)
_TERMS = (
    "p.",
    "r.",
    "&&",
    "||",
    "!",
    "(",
    ")",
    "==",
    "<=",
    "names",
    "user",
    ".__class__",
    "lambda: 1",
    "[",
    "'x'",
    "1",
    ",",
    "\n",
    "**",
    ":=",
    "f''",
    "\0",
    "not",
    "g",
    "9" * 5000,
)


def run(data: bytes) -> None:
    choices = Choices(data)
    how = choices.number(3)
    if how == 0:
        text = choices.rest().decode("utf-8", "replace")
    elif how == 1:
        _condition(
            "".join(choices.text(_TERMS) for _ in range(choices.number(30)))
            if choices.flag()
            else "(" * choices.number(4000) + "p.id"
        )
        return
    else:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(COLUMNS if choices.number(9) else [choices.text(COLUMNS) for _ in COLUMNS])
        for _ in range(choices.number(4)):
            row = list(_ROW)
            for _ in range(choices.number(3)):
                row[choices.number(len(row) - 1)] = choices.text(_BITS)
            writer.writerow(
                [cell.encode("utf-8", "replace").decode() for cell in row[: None if choices.number(9) else -1]]
            )
        text = out.getvalue()
    rows, errors = read_policy(text)
    holds(not (rows and errors), "a policy is taken whole or not at all")
    if rows:
        holds(check_rows(rows) == [], "what was taken is right")
        read = list(
            RowReader().read(
                [
                    tuple(str(row.get(name, {"training": "any", "agreement": "none"}.get(name))) for name in COLUMNS)
                    for row in rows
                ]
            )
        )
        holds(
            all(row.eft in ("allow", "deny") and (row.eft == "deny" or row.act == "mount") for row in read),
            "an allow row only mounts",
        )


def _condition(text: str) -> None:
    try:
        conditions.compile_condition(conditions.parse(text))
    except Refused:
        return


def start() -> list[bytes]:
    good = ",".join(COLUMNS) + "\n" + ",".join(_ROW) + "\n"
    return [b"\x00" + good.encode()] + [
        bytes([how]) + bytes(range(n * 5, n * 5 + 60)) for how in (1, 2, 3) for n in range(8)
    ]


TARGET = Target(
    "policy_files",
    "a policy as CSV, and conditions",
    run,
    start,
    tuple(bit.encode() for bit in (*_BITS, *_TERMS[:-1])),
    share=0.7,
)
