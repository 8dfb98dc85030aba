"""What a table shows: its numbers with the step they are rounded to, and which rows and columns are totals."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from egress_review.count_columns import LABELS
from egress_review.tables import Floats, Table

Ints = npt.NDArray[np.int64]

_NUMBER = re.compile(r"^\W{0,3}?([-+\u2212]?\d[\d,.\u202f\u00a0' ]*(?:[eE][-+]?\d+)?)")
_PARTS = re.compile(r"^[-+]?(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?$")
_COMMA = re.compile(r"^[-+]?\d{1,3}(?:\.\d{3})*,\d+$|^[-+]?\d+,(?:\d{1,2}|\d{4,})$")
_BASES = tuple(base * 10.0**power for power in range(9, -1, -1) for base in (5.0, 1.0))
MAX_DIGITS = 12


@dataclass(frozen=True)
class Column:
    """Numbers as shown, NaN where none is, and how far from the shown value the real one may lie.

    `steps` take each digit at its word; `coarse` is for figures that were all rounded to a base such as 5 or 1,000.
    """

    values: Floats
    steps: Floats
    coarse: Floats


def column_of(table: Table, column: int) -> Column:
    """The numbers of a column, with those that stand at the start of a cell of text such as `44.2 (12.1)`."""
    key = f"shown {column}"
    if key not in table.memo:
        table.memo[key] = _column(table, column)
    found: Column = table.memo[key]
    return found


def _column(table: Table, column: int) -> Column:
    values = np.array(table.numbers(column), dtype=np.float64)
    steps = np.zeros(len(values))
    digits, printed = np.zeros(len(values), dtype=np.int64), np.zeros(len(values), dtype=np.int64)
    for row, text in enumerate(table.texts(column).to_list()):
        plain = _plain(text)
        if plain is None:
            if text is None or not np.isfinite(values[row]):
                values[row] = np.nan
            continue
        if np.isnan(values[row]) or _COMMA.match(str(text).strip()):
            values[row] = float(plain)
        parts = _PARTS.match(plain)
        whole, part, power = parts.groups() if parts else ("", "", None)
        steps[row] = 10.0 ** (int(power or 0) - len(part))
        exact = (whole + part).lstrip("0")
        digits[row] = len(exact) if part.strip("0") else len(whole.strip("0"))
        printed[row] = len(exact)
    return Column(values, *_tolerance(values, steps, digits, printed))


def _plain(text: object) -> str | None:
    """The number at the start of a cell, with a point for decimals and nothing between thousands; None for none."""
    match = _NUMBER.match(str(text).strip()) if text is not None else None
    if match is None:
        return None
    found = match[1].replace("\u2212", "-").rstrip(",.' \u202f\u00a0")
    if _COMMA.match(found):
        found = found.replace(".", "").replace(",", ".")
    found = re.sub(r"[,\u202f\u00a0' ](?=\d{3}(?!\d))", "", found)
    found = re.split(r"[, '\u202f\u00a0]", found)[0]
    try:
        return found if np.isfinite(float(found)) else None
    except ValueError:
        return None


def _tolerance(values: Floats, steps: Floats, digits: Ints, printed: Ints) -> tuple[Floats, Floats]:
    """A whole step each, as figures may be cut off; `printed` are all digits, `digits` without zeros at the end."""
    known = ~np.isnan(values)
    if not known.any():
        return steps, steps
    step = base = float(steps[known].min())
    if step > 0 and bool((values[known] == np.rint(values[known])).all()):
        base = next((each for each in _BASES if bool((values[known] % each == 0).all())), 1.0)
    size = np.abs(np.where(known & (values != 0), values, 1.0))
    fine, coarse = (
        np.where(values == 0, 0.0, 10.0 ** (np.floor(np.log10(size)) - np.clip(most, 1, MAX_DIGITS) + 1))
        for most in (printed.max(), digits.max())
    )
    least = 1e-9 * size
    return np.maximum(np.maximum(step, fine), least), np.maximum(np.maximum(base, coarse), least)


def is_margin(label: str) -> bool:
    """Whether a label means all groups together."""
    return bool(LABELS.match(label.strip()))


def flipped(table: Table) -> Table | None:
    """The table with its rows as columns; None for one that is too long to be read that way."""
    if not (1 <= table.height <= 60 and 2 <= table.width <= 400):
        return None
    header = [table.header[0] or "", *(text or "" for text in table.texts(0).to_list())]
    rows = [table.texts(column).to_list() for column in range(1, table.width)]
    columns = [pl.Series("c0", table.header[1:], dtype=pl.String)]
    columns += [
        pl.Series(f"c{row + 1}", [cells[row] for cells in rows], dtype=pl.String) for row in range(table.height)
    ]
    return Table(table.where, header, columns, dict(table.notes))
