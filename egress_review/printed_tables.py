"""Tables that a program printed into text: columns set apart by spaces, Markdown pipes, LaTeX ampersands, log lines."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from egress_review import aligned_tables
from egress_review.table import Table, from_rows

_GAP = re.compile(r"\s{2,}|\t")
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?%?(?![\w])")
_TOKEN = re.compile(
    r"""\d{4}-\d\d-\d\d|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|"[^"]*"|'[^']*'|[^\s,;|=:()\[\]{}"']+"""
)
_RULE = re.compile(r"^[\s|+:=\-─━┼│┌┐└┘├┤┬┴╞╡╪═]*$")
_NUMBERS = re.compile(r"^[-+]?[\d.,]+%?(?:\s+[-+]?[\d.,]+%?)+$")  # several numbers where one cell should be
MAX_LINES = 200_000


def tables_in(where: str, text: str) -> list[Table]:
    """Every printed table in `text`, each with the number of its first line."""
    found: list[Table] = []
    block: list[str] = []
    start, names = 1, ""
    for number, line in enumerate([*text.splitlines()[:MAX_LINES], ""], 1):
        if line.strip():
            if not block:
                start = number
            block.append(line.rstrip())
            continue
        if len(block) == 1 and len(_GAP.split(block[0].strip())) > 1 and not _NUMBER.search(block[0]):
            names = block[0]  # a header that an empty line sets apart from what it is above
        elif block:
            found += _block(f"{where}, line {start}", [names, *block] if names else block)
            names = ""
        block = []
    return found


def _block(where: str, lines: list[str]) -> list[Table]:
    if len(lines) < 2:
        return []
    aligned = aligned_tables.tables_in(where, lines)
    for split in (_pipes, _ampersands, _spaced):
        rows = split(lines)
        table = from_rows(where, rows) if rows else None
        if table is None:
            continue
        table.notes["printed"] = True
        if split is _ampersands or not aligned or not _better(aligned, table, piped=split is _pipes):
            return [table]
        # Numbers under each other are read by their place; the other reading serves the search of source rows alone.
        table.notes["log"] = True
        return [*aligned, table]
    return aligned


def _better(aligned: list[Table], other: Table, *, piped: bool) -> bool:
    """Whether reading by place finds what splitting at gaps lost: rows, columns or the names above them."""
    if any(table.notes.get("series") for table in aligned):
        return True
    rows = sum(table.height for table in aligned)
    widest = max(table.width for table in aligned)
    several = any(
        _NUMBERS.match(cell) for column in other.columns for cell in column.drop_nulls().cast(pl.String).to_list()
    )
    if several or piped:
        return several
    if widest > other.width or (rows > other.height and widest >= other.width):
        return True
    named = max(aligned, key=lambda table: table.width)
    names = [name for name in named.header if name]
    return len(names) >= named.width - 1 and not set(names) <= set(other.header)


def _pipes(lines: list[str]) -> list[list[Any]] | None:
    piped = [line for line in lines if line.count("|") >= 2 or line.count("│") >= 2 or line.count("┆") >= 1]
    if len(piped) < 2 or len(piped) < 0.5 * len(lines):
        return None
    rows = [re.split(r"[|│┆]", line.strip().strip("|│")) for line in piped if not _RULE.match(line)]
    rows = [[cell.strip() for cell in row] for row in rows]
    # polars prints the types under the names
    return [
        row for row in rows if not all(cell in ("---", "str", "i64", "f64", "u32", "i32", "bool", "") for cell in row)
    ]


def _ampersands(lines: list[str]) -> list[list[Any]] | None:
    marked = [line for line in lines if "&" in line and line.rstrip().endswith(("\\\\", "\\\\ \\hline", "\\\\[1ex]"))]
    if len(marked) < 2:
        return None
    return [[re.sub(r"\\[a-zA-Z]+\*?|[{}$\\]", "", cell).strip() for cell in line.split("&")] for line in marked]


def _spaced(lines: list[str]) -> list[list[Any]] | None:
    kept = [line for line in lines if not _RULE.match(line)]
    if len(kept) < 2:
        return None
    by_gap = [_GAP.split(line.strip()) for line in kept]
    widths = [len(row) for row in by_gap]
    common = max(set(widths), key=lambda width: (widths.count(width), width))
    if common < 2 and all(len(row) < 2 for row in by_gap):
        by_gap = [line.split() for line in kept]
        widths = [len(row) for row in by_gap]
        common = max(set(widths), key=lambda width: (widths.count(width), width))
        if common < 2 or widths.count(common) < 0.7 * len(widths):
            return None
    numeric = sum(bool(_NUMBER.search(line)) for line in kept)
    if common < 2 or numeric < 0.5 * len(kept):
        return None
    rows = []
    for place, (row, line) in enumerate(zip(by_gap, kept, strict=True)):
        cells: list[Any] = list(row)
        if len(cells) < common and len(line.split()) == common:
            cells = list(line.split())
        # A printed frame leaves out the name of its index: the header is one or more cells short.
        if place <= 1 and len(cells) < common and (line[:1] in " \t" or place == 0):
            cells = [""] * (common - len(cells)) + cells
        if len(cells) in (common, common - 1) or place <= 1:
            rows.append(cells)
    return rows if len(rows) >= 2 else None


def log_tables(where: str, text: str) -> list[Table]:
    """Values that lines of one pattern have in common, a column for each place of the pattern: for the search of source rows."""
    by_pattern: dict[str, list[list[str]]] = {}
    for line in text.splitlines()[:MAX_LINES]:
        tokens = _TOKEN.findall(line)
        if not 2 <= len(tokens) <= 60:
            continue
        shape = _NUMBER.sub("#", line)
        words = "" if len(by_pattern) > 2000 else re.sub(r"[A-Za-z_]+(?=#)", "", re.sub(r"\s+", " ", shape))
        by_pattern.setdefault(f"{len(tokens)}:{words if len(words) < 400 else ''}", []).append(tokens)
    merged: dict[int, list[list[str]]] = {}
    for key, rows in by_pattern.items():
        if len(rows) < 5:
            merged.setdefault(int(key.split(":", 1)[0]), []).extend(rows)
    groups = [rows for rows in by_pattern.values() if len(rows) >= 5] + [
        rows for rows in merged.values() if len(rows) >= 3
    ]
    tables = []
    for rows in sorted(groups, key=len, reverse=True)[:30]:
        columns = []
        for place in range(len(rows[0])):
            cells = [row[place].strip("\"'") for row in rows]
            if len(set(cells)) > 1:
                columns.append(pl.Series(f"c{place}", cells, dtype=pl.String))
        if columns:
            tables.append(Table(where, [""] * len(columns), columns, {"log": True}))
    return tables
