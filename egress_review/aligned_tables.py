"""Tables that a program printed with numbers in columns one under the other: R, Stata, SAS, SPSS, pandas.

Such a line is words, then numbers. Lines that follow each other and whose numbers stand under each other are a table;
the words above a column name it. No separator is needed, so a label may hold spaces and a header may be short.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from egress_review.table import Table

_TOKEN = re.compile(r"\S+")
_NUMBER = re.compile(
    r"[-+]?\$?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)?[%*]*|[-+]?\.\d+(?:[eE][-+]?\d+)?[%*]*|<\s?\d+(?:e-\d+)?|\*+|NA|NaN|<NA>|\[c\]|\[\.\d+|\d\.\d+\]"
)
_RULE = re.compile(r"^[\s|+:=\-_.─━┼│┌┐└┘├┤┬┴╞╡╪═]*$")
_TYPES = re.compile(r"^<(?:chr|int|dbl|fct|lgl|date|dttm|ord|num)>$")
_SERIES = re.compile(r"^(?:Name: (?P<name>[\w ]+), )?(?:Length: \d+, )?dtype: (?P<type>u?int\d+|Int64)$")
_COUNTED = re.compile(r"^(?:counts?|n|size|freq\w*|len)$", re.IGNORECASE)
_SUMMARY = re.compile(r"\b(?:min|max|qu|mean|median)\b", re.IGNORECASE)
HEADER_LINES = 3  # above the first row that may name columns
MIN_LINES = 2


@dataclass(frozen=True)
class _Line:
    """One line: its words, and its numbers with the places where each begins and ends."""

    label: str
    cells: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    outer: str = ""  # the first words of a label of several, where the line begins with them


def _read(line: str) -> _Line:
    tokens = list(_TOKEN.finditer(line))
    first = len(tokens)
    while first and _NUMBER.fullmatch(tokens[first - 1].group()):
        first -= 1
    label = line[: tokens[first].start()].strip() if first < len(tokens) else line.strip()
    outer = re.split(r"\s{2,}", label)[0] if label and not line.startswith(" ") else ""
    return _Line(label, tuple(t.group() for t in tokens[first:]), tuple(t.span() for t in tokens[first:]), outer)


def _under(above: _Line, below: _Line) -> bool:
    """Whether the numbers of two lines stand in the same columns."""
    if len(above.cells) != len(below.cells) or not above.cells:
        return False
    for place, ((a, b), (c, d)) in enumerate(zip(above.spans, below.spans, strict=True)):
        if a >= d or c >= b:
            return False
        before = below.spans[place - 1][1] if place else -1
        if a < before:
            return False
    return True


def _names(headers: list[str], line: _Line) -> list[str]:
    """What stands above each number; a title that stands above none of them is left out."""
    names = ["" for _ in line.cells]
    for header in headers:
        parts = list(re.finditer(r"\S+(?: \S+)*", header))
        plain = list(_TOKEN.finditer(header))
        over = [sum(part.start() < end and start < part.end() for start, end in line.spans) for part in parts]
        if len(parts) < len(names) or max(over, default=0) > 1:
            parts = plain  # names that stand one space apart
        for part in parts:
            if _TYPES.match(part.group()):
                continue
            overlaps = [min(part.end(), end) - max(part.start(), start) for start, end in line.spans]
            best = max(range(len(names)), key=lambda place: overlaps[place])
            if overlaps[best] <= 0:
                # Headers are set to the left or the right of their numbers.
                distances = [min(abs(part.start() - start), abs(part.end() - end)) for start, end in line.spans]
                best = min(range(len(names)), key=lambda place: distances[place])
                if distances[best] > 4 or part.end() <= line.spans[0][0] - 4:
                    continue
            names[best] = f"{names[best]} {part.group()}".strip()
    return names


def tables_in(where: str, lines: list[str]) -> list[Table]:
    """The tables of one block of lines without empty ones."""
    flat = [re.sub(r"[|│┃┆‖]", " ", line.expandtabs()).rstrip() for line in lines]
    rules = [bool(_RULE.match(line)) for line in flat]
    read = [_Line("", (), ()) if rule else _read(line) for line, rule in zip(flat, rules, strict=True)]
    found: list[Table] = []
    place = 0
    while place < len(read):
        if rules[place] or not read[place].cells:
            place += 1
            continue
        run = [place]
        following = place + 1
        while following < len(read):
            if rules[following]:
                following += 1
                continue
            if not _under(read[run[-1]], read[following]):
                break
            run.append(following)
            following += 1
        table = _table(where, flat, read, rules, run)
        if table is not None:
            found.append(table)
        place = run[-1] + 1
    return found


def _table(where: str, flat: list[str], read: list[_Line], rules: list[bool], run: list[int]) -> Table | None:
    rows = [read[place] for place in run]
    above = [place for place in range(max(0, run[0] - 2 * HEADER_LINES), run[0]) if not rules[place]][-HEADER_LINES:]
    headers = [flat[place] for place in above if not re.match(r"^\s*(?:[>.$#]|In \[)", flat[place])]
    if len(rows) > 1 and not rows[0].label and any(row.label for row in rows[1:]):
        headers, rows = [flat[run[0]]], rows[1:]  # categories that are numbers name the columns
    elif not headers and len(rows) > 1 and len(rows[0].cells) > 1 and _ascending(rows[0].cells):
        headers, rows = [flat[run[0]]], rows[1:]
    bare = all(not row.label for row in rows)
    last = flat[run[-1] + 1].strip() if run[-1] + 1 < len(flat) else ""
    series = _SERIES.match(last)
    names = _names(headers, rows[0])
    if len(rows) < MIN_LINES and not (len(names) > (1 if bare else 2) and all(names)) and not series:
        return None
    if bare and len(rows) < MIN_LINES and _SUMMARY.search(" ".join(names)):
        columns = [pl.Series(f"c{i}", [row.cells[i] for row in rows], dtype=pl.String) for i in range(len(names))]
        return Table(where, names, columns, {"printed": True})
    notes: dict[str, object] = {"printed": True, "aligned": True}
    if series:
        notes["series"] = True
    if series and (series["name"] is None or _COUNTED.match(series["name"])):
        names[-1] = "count"
    elif series:
        names[-1] = series["name"]
    columns = [pl.Series(f"c{i}", [row.cells[i] for row in rows], dtype=pl.String) for i in range(len(names))]
    if bare and len(rows) > 1:
        return Table(where, names, columns, notes)
    labels = pl.Series("label", _outlined(rows), dtype=pl.String)
    return Table(where, ["", *names], [labels, *columns], notes)


def _outlined(rows: list[_Line]) -> list[str]:
    """The labels, each under its own heading: programs print an outer group once and leave its place empty below."""
    outline = any(row.outer for row in rows) and not all(row.outer for row in rows)
    found, outer = [], ""
    for row in rows:
        outer = row.outer or outer
        found.append((f"{outer} {row.label}" if outline and not row.outer else row.label).strip() or "all")
    return found


def _ascending(cells: tuple[str, ...]) -> bool:
    """Whether these are categories in their order, such as `0 1` above a cross table."""
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        return False
    return values == sorted(set(values))
