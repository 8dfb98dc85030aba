"""Values written out in programs and in strings, laid as tables for the search of source rows.

Lists of tuples and of dictionaries, named vectors of Python and R, rows of SQL on one line, and numbers strung together
with dashes, underscores or names.
"""

from __future__ import annotations

import re

import polars as pl

from egress_review.table import Table

_GROUP = re.compile(r"[(\[{]([^()\[\]{}]{3,4000})[)\]}]")
_VALUE = re.compile(r"""\d{4}-\d\d-\d\d|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|"[^"]*"|'[^']*'|[A-Za-z_][\w.]*""")
_KEY = re.compile(r"""(?:"[^"]*"|'[^']*'|[\w.]+)\s*(?::|=(?!=))\s*""")
_VECTOR = re.compile(
    r"""["'`]?([A-Za-z_.][\w. ]*)["'`]?\s*(?:<-|=|:)\s*(?:c|np\.array|array|list)?"""
    r"""\(?\[?\(?([-+\d.,eE\sNAnul]{5,})[)\]]"""
)
_JOINED = re.compile(r"[A-Za-z_\-/|.:]\d")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
MAX_TEXT = 2_000_000
MAX_TABLES = 20
MIN_ROWS, MAX_VALUES = 3, 80


def tables_in(where: str, text: str) -> list[Table]:
    """Tables of the groups, vectors and strings of numbers in `text`."""
    text = text[:MAX_TEXT]
    found = _groups(where, text) + _vectors(where, text)
    found += _strung(where, [line for line in text.splitlines() if len(line) < 2000])
    return found[:MAX_TABLES]


def strung_in(table: Table) -> list[Table]:
    """The numbers inside the cells of each column of text that holds several of them in each."""
    found = []
    for column in range(min(table.width, 20)):
        if table.columns[column].dtype == pl.String and table.height >= MIN_ROWS:
            cells = table.columns[column].drop_nulls().head(20_000).to_list()
            found += _strung(f"{table.where} (column {column + 1}, cut apart)".strip(), cells)
    return found[:MAX_TABLES]


def _table(where: str, rows: list[list[str]], names: list[str] | None = None) -> list[Table]:
    if len(rows) < MIN_ROWS:
        return []
    columns = [
        pl.Series(f"c{place}", [row[place].strip("\"'") for row in rows], dtype=pl.String)
        for place in range(len(rows[0]))
    ]
    return [Table(where, names or [""] * len(columns), columns, {"log": True})]


def _groups(where: str, text: str) -> list[Table]:
    by_length: dict[int, list[list[str]]] = {}
    for match in _GROUP.finditer(text):
        values = _VALUE.findall(_KEY.sub("", match[1]))
        if 2 <= len(values) <= MAX_VALUES:
            by_length.setdefault(len(values), []).append(values)
    return [table for rows in by_length.values() for table in _table(f"{where} (groups)", rows)]


def _vectors(where: str, text: str) -> list[Table]:
    by_length: dict[int, dict[str, list[str]]] = {}
    for match in _VECTOR.finditer(text):
        values = [value.strip().rstrip("L") for value in match[2].strip().strip(",").split(",")]
        by_length.setdefault(len(values), {})[match[1].strip()] = values
    found = []
    for length, named in by_length.items():
        if length >= MIN_ROWS and len(named) >= 2:
            rows = [list(row) for row in zip(*named.values(), strict=True)]
            found += _table(f"{where} (vectors)", rows, list(named))
    return found


def _strung(where: str, lines: list[str]) -> list[Table]:
    """Lines that are numbers strung together: as many numbers in each."""
    by_length: dict[int, list[list[str]]] = {}
    for line in lines:
        if _JOINED.search(line):
            values = _NUMBER.findall(line)
            if 2 <= len(values) <= MAX_VALUES:
                by_length.setdefault(len(values), []).append(values)
    return [table for rows in by_length.values() if len(rows) >= 5 for table in _table(where, rows)]
