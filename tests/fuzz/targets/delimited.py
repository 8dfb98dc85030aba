"""CSV and its relatives: cells, ragged rows, formulas, counts, statistics, rows of the source."""

from __future__ import annotations

import csv
from io import StringIO

from egress_review import canonical_forms, tables
from tests.fuzz import looking, seeds
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds

_CELLS = ("sex", "age", "count", "n", "%", "mean", "median", "max", "min", "Total", "All", "<5", "*", "0", "1", "3", "7", "10", "120", "340", "0.25", "1e400", "nan", "-1",
          "=1+1", "@SUM(A1)", "-A1", "+cmd|' /C'!A0", '"', "1,234", "(17)", "18", "10000.5", "1940-01-10", "town 3", "12 %", "0.5**", "", "", " ", "std err",
          "ci_lower", "p_value", "nobs", "df_resid", "year", "1999", "12345678901234567890.123", "−5", "'=x")  # fmt: skip


def run(data: bytes) -> None:
    choices = Choices(data)
    ending = choices.pick((".csv", ".tsv", ".tab"))
    if choices.flag():
        separator = choices.pick((",", ",", "\t", ";", "|"))
        width = 1 + choices.number(7)
        lines = []
        for _ in range(choices.number(24)):
            cells = [choices.text(_CELLS) for _ in range(width + choices.pick((0, 0, 0, 0, 0, 1)))]
            lines.append(
                separator.join(
                    '"' + cell.replace('"', '""') + '"' if choices.number(9) == 0 else cell for cell in cells
                )
            )
        body = choices.pick(("\n", "\n", "\r\n", "\r", "\n\n")).join(lines).encode("utf-8", "replace")
    else:
        body = choices.rest()
    looking.checked(f"out{ending}", body)
    _same_values(body)


def _same_values(body: bytes) -> None:
    """The rewrite has the cells of the original, cleaned, in the same places, and none that begins as a formula."""
    try:
        once = canonical_forms.rewrite_bytes(body, "csv")
    except ValueError:
        return
    text = canonical_forms._decoded(body)
    separator = tables.separator_of(text)
    before = list(csv.reader(StringIO(text.replace("\r\n", "\n").replace("\r", "\n")), delimiter=separator))
    after = list(csv.reader(StringIO((once or b"").decode()), delimiter=separator))
    holds(
        [[canonical_forms._value_cell(cell) for cell in row] for row in before if row] == [row for row in after if row],
        "the rewrite has the same cells",
    )
    holds(
        not any(cell[:1] in ("=", "@") and len(cell) > 1 for row in after for cell in row),
        "no cell begins as a formula",
    )


def start() -> list[bytes]:
    return [b"\x00\x00" + body for body in seeds.files(".csv", ".tsv")] + [b"\x00\x01" + bytes(range(64)) * 3]


TARGET = Target(
    "delimited",
    "CSV and other delimited tables",
    run,
    start,
    (b'"', b'""', b",", b";", b"\t", b"=", b"\r\n", b"#", b"\xef\xbb\xbf"),
    share=1.5,
)
