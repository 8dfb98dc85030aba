"""Counts inside cells that hold more than one number: `12 (3.4%)`, `12/340`, `3.4% (12)`, `forty`.

A cell such as `54 (11)` may as well be a mean and its deviation. It is a count where a percent sign, the words beside
it, or the arithmetic says so: the second number is what the first is of the N in the header.
"""

from __future__ import annotations

import re

import polars as pl

from egress_review.table import Table

_COUNT_SHARE = re.compile(r"^(\d[\d, ]*)\s*[(\[]\s*<?\s*(\d+(?:[.,·]\d+)?)\s*\\?(%?)\s*[)\]]\W*$")
_SHARE_COUNT = re.compile(r"^(\d+(?:[.,·]\d+)?)\s*\\?(%?)\s*[(\[]\s*(?:[nN]\s*=\s*)?(\d[\d,]*)\s*[)\]]\W*$")
_PART_WHOLE = re.compile(r"^(\d[\d,]*)\s*(?:/|of|out of)\s*(\d[\d,]*)(?:\s*[(\[].*[)\]])?$")
_NAMED_N = re.compile(r"\b[Nn]\s*[=:]\s*(\d[\d,]*)")
_COUNT_FIRST = re.compile(r"\b(?:n|no\.?|number|count|freq\w*)\W{0,4}[(\[,/]?\s*(?:%|percent|pct)", re.IGNORECASE)
_SHARE_FIRST = re.compile(r"(?:%|percent|pct)\W{0,3}[(\[,/]?\s*(?:n|no\.?|number)\b", re.IGNORECASE)
_UP_TO_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_TENS = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100}
_WORDS = {word: number for number, word in enumerate(_UP_TO_TWENTY)} | _TENS
MAX_HEIGHT = 500


def word_number(text: str) -> int | None:
    """The number that a word such as `three` says, up to a hundred."""
    return _WORDS.get(text.strip().lower())


def counts_in(table: Table) -> Table | None:
    """The table with the counts of its composite cells in their place; None when it has no such cells."""
    if "composite" in table.memo:
        found: Table | None = table.memo["composite"]
        return found
    table.memo["composite"] = made = _read(table) if table.height <= MAX_HEIGHT and not table.notes.get("log") else None
    return made


def _read(table: Table) -> Table | None:
    labels = [str(text or "") for text in table.texts(0).to_list()]
    header: list[str] = []
    columns: list[pl.Series] = []
    counts: list[int] = []
    for column in range(table.width):
        cells = [str(text or "").strip() for text in table.texts(column).to_list()]
        name = table.header[column]
        parts, wholes = _column(cells, labels if column else [""] * len(cells), name)
        if not any(parts):
            header.append(name)
            columns.append(table.columns[column])
            continue
        counts.append(len(header))
        header.append(f"n {name}")
        columns.append(pl.Series(name, parts, dtype=pl.String))
        if any(wholes):
            counts.append(len(header))
            header.append(f"{name} total")
            columns.append(pl.Series(name, wholes, dtype=pl.String))
    if not counts:
        return None
    return Table(table.where, header, columns, {"counts": counts, "composite": True})


def _column(cells: list[str], labels: list[str], name: str) -> tuple[list[str | None], list[str | None]]:
    """(counts, totals) of one column, None where a cell tells of neither."""
    parts: list[str | None] = [None] * len(cells)
    wholes: list[str | None] = [None] * len(cells)
    filled = [cell for cell in cells if cell]
    words = [word_number(cell) for cell in filled]
    if len(filled) > 1 and sum(word is not None for word in words) >= 0.6 * len(filled):
        return [str(found) if (found := word_number(cell)) is not None else None for cell in cells], wholes
    fractions = [_PART_WHOLE.match(cell) for cell in cells]
    if sum(match is not None for match in fractions) >= max(1, 0.6 * len(filled)):
        pairs = [(_int(m[1]), _int(m[2])) if m else None for m in fractions]
        if all(part <= whole and whole >= 10 for part, whole in filter(None, pairs)):
            for row, pair in enumerate(pairs):
                if pair:
                    parts[row], wholes[row] = str(pair[0]), str(pair[1])
            return parts, wholes
    base = _NAMED_N.search(name)
    whole = _int(base[1]) if base else None
    implied: list[float] = []
    undecided: list[tuple[int, str]] = []
    for row, cell in enumerate(cells):
        beside = f"{name} {labels[row]}"
        if match := _SHARE_COUNT.match(cell):
            count, share = _int(match[3]), float(re.sub(r"[,·]", ".", match[1]))
            if (
                (match[2] and "%" not in cell.split("(", 1)[-1])
                or _SHARE_FIRST.search(beside)
                or _fits(count, share, whole)
            ):
                parts[row] = str(count)
                continue
            if share and "." in match[1]:
                implied.append(100 * count / share)
                undecided.append((row, str(count)))
        if match := _COUNT_SHARE.match(cell):
            count, share = _int(match[1]), float(re.sub(r"[,·]", ".", match[2]))
            if match[3] or _COUNT_FIRST.search(beside) or ("%" in labels[row]) or _fits(count, share, whole):
                parts[row] = str(count)
            elif share:
                implied.append(100 * count / share)
                undecided.append((row, str(count)))
    # Without an N: several cells that are each the same share of one unknown total.
    if len(implied) >= 3 and max(implied) < 1.1 * min(implied):
        for row, text in undecided:
            parts[row] = text
    return parts, wholes


def _int(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def _fits(count: int, share: float, whole: int | None) -> bool:
    return whole is not None and 0 < count <= whole and abs(100 * count / whole - share) <= 0.6 and share <= 100
