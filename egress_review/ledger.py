"""Differencing: what two tables from the same data give away together that neither gives away alone. Pure.

A table of counts is keyed by its columns that are no counts. Two tables are joined on the keys that they share; where
one has a finer breakdown its counts are added up. A pair of counts that differ by less than the threshold, and not by
zero, tells of those few people. (Source: the "successive releases" class of statbarn; ABS DataLab's rule that no two
tables may differ by less than 10.)
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from egress_review.tables import Table

MAX_CELLS = 50_000  # of one table in the ledger; what is larger is no table of counts
_TOTALS = frozenset({"total", "all", "sum", "overall", "any", "grand total", "row total", "column total"})
_YEARS = range(1800, 2200)


@dataclass(frozen=True)
class CountTable:
    """Counts by key. `cells` are (keys: variable -> value, counts: column -> number), names and values case-folded."""

    id: str  # for people: `REL-0003, results/table.csv, sheet 1`
    variables: tuple[str, ...]
    cells: tuple[tuple[dict[str, str], dict[str, int]], ...]

    def as_rows(self) -> list[dict[str, Any]]:
        """Plain JSON values."""
        return [{"keys": keys, "counts": counts} for keys, counts in self.cells]


@dataclass(frozen=True)
class Difference:
    """Two counts that differ by `size`, 0 < size < threshold: the tables, the place in both, and the counts."""

    table: str
    earlier: str
    place: str
    counts: tuple[int, int]

    @property
    def size(self) -> int:
        """How many people the two tables give away together."""
        return abs(self.counts[0] - self.counts[1])


def count_table(name: str, table: Table) -> CountTable | None:
    """The counts in a table; None when it has none, or no keys, or is too large to be a table of counts."""
    if not table.height > 0 or table.height * table.width > MAX_CELLS:
        return None
    header = [(_fold(text) or f"column {place + 1}") for place, text in enumerate(table.header)]
    header = [text if header.count(text) == 1 else f"{text} {place + 1}" for place, text in enumerate(header)]
    counts = [place for place in range(table.width) if _is_count(table, place)]
    keys = [place for place in range(table.width) if place not in counts and not _is_measure(table, place)]
    # A first column of numbers that never repeat, such as ages or years, labels the rows when nothing else does.
    first = table.texts(0).to_list()
    if not keys and len(counts) > 1 and len(set(first)) == len(first):
        keys, counts = [0], counts[1:]
    if not counts:
        return None
    cells = []
    for row in range(table.height):
        values = {
            header[place]: int(table.numbers(place)[row])
            for place in counts
            if math.isfinite(table.numbers(place)[row])
        }
        if values:
            cells.append(({header[place]: _fold(table.cell(row, place)) for place in keys}, values))
    return CountTable(name, tuple(sorted(header[place] for place in keys)), tuple(cells)) if cells else None


def all_rounded(tables: Iterable[CountTable], base: int) -> bool:
    """Whether every count is a multiple of `base`, and there is one."""
    values = [value for table in tables for _, counts in table.cells for value in counts.values()]
    return bool(values) and all(value % base == 0 for value in values)


def differences(new: CountTable, earlier: CountTable, threshold: int) -> list[Difference]:
    """Every pair of counts of the same people's group that differ by 1 to `threshold` - 1, in the order of `new`."""
    shared = set(new.variables) & set(earlier.variables)
    if shared not in (set(new.variables), set(earlier.variables)):
        return []
    ours, theirs = _summed(new, shared), _summed(earlier, shared)
    found = []
    for (key, column), value in ours.items():
        for other in _partners(column, ours, theirs, key):
            if 0 < abs(value - theirs[key, other]) < threshold:
                place = ", ".join([f"{name} {said}" for name, said in key] + [column])
                found.append(Difference(new.id, earlier.id, place, (value, theirs[key, other])))
    return found


_Key = tuple[tuple[str, str], ...]
_Cells = dict[tuple[_Key, str], int]


def _partners(column: str, ours: _Cells, theirs: _Cells, key: _Key) -> list[str]:
    """The column of the same name; where each table has a single one, that, whatever its name."""
    if (key, column) in theirs:
        return [column]
    mine = {name for _, name in ours}
    other = {name for _, name in theirs}
    return [name for name in other if len(mine) == len(other) == 1 and (key, name) in theirs]


def _summed(table: CountTable, shared: set[str]) -> _Cells:
    """Counts by the shared variables; rows that are totals over what is added up are left out."""
    sums: defaultdict[tuple[_Key, str], int] = defaultdict(int)
    for keys, counts in table.cells:
        if any(name not in shared and said in _TOTALS for name, said in keys.items()):
            continue
        key = tuple(sorted((name, said) for name, said in keys.items() if name in shared))
        for column, value in counts.items():
            sums[key, column] += value
    return dict(sums)


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()[:200]


def _finite(table: Table, place: int) -> list[float]:
    return [value for value in table.numbers(place).tolist() if math.isfinite(value)]


def _is_count(table: Table, place: int) -> bool:
    """Whole numbers from 0 up; a cell that is none, such as a suppressed one, is left out. A column of years is no
    count.
    """
    values = _finite(table, place)
    filled = table.height - table.columns[place].null_count()
    if not values or len(values) * 2 < filled or any(value < 0 or not value.is_integer() for value in values):
        return False
    return not ("year" in _fold(table.header[place]) and all(int(value) in _YEARS for value in values))


def _is_measure(table: Table, place: int) -> bool:
    """Numbers with decimals, or below zero: means and percentages label no row."""
    values = _finite(table, place)
    return len(values) * 2 >= table.height and any(value < 0 or not value.is_integer() for value in values)


def from_rows(name: str, variables: Sequence[str], rows: Iterable[dict[str, Any]]) -> CountTable:
    """The inverse of `CountTable.as_rows`."""
    return CountTable(name, tuple(variables), tuple((dict(row["keys"]), dict(row["counts"])) for row in rows))
