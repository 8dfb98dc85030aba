"""Where in a preview a finding is: the cell that a reviewer is led to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from egress_review.previews import PreviewTable

HEADER = -1  # the row of a finding that is about a whole column
LABEL = 40  # characters of a row's or a column's name that a finding tells

Marks = dict[tuple[int, int], tuple[int, str]]  # (row, column) → (number of the finding, its message)


def places(findings: Sequence[Mapping[str, Any]], table: PreviewTable, file_name: str) -> Marks:
    """The cells of a shown table that findings name, as `table: row / column` or `table: column`.

    Findings are numbered from 1, as the page lists them. A finding on a row that is not shown marks nothing.
    """
    marks: Marks = {}
    start = f"{table.name or file_name}: "
    for number, finding in enumerate(findings, 1):
        where = str(finding.get("where", ""))
        if not where.startswith(start):
            continue
        message = str(finding.get("message", ""))
        found = _place(table, where.removeprefix(start), message)
        if found is not None:
            marks.setdefault(found, (number, message))
    return marks


def _place(table: PreviewTable, told: str, message: str) -> tuple[int, int] | None:
    names = [name[:LABEL] or f"column {number}" for number, name in enumerate(table.header, 1)]
    if told in names:
        return HEADER, names.index(told)
    for column, name in enumerate(names):
        if not told.endswith(f" / {name}"):
            continue
        label = told.removesuffix(f" / {name}")
        rows = [
            number
            for number, row in enumerate(table.rows)
            if label in (f"row {number + 1}", row[0][:LABEL] if row else "")
        ]
        # Several rows may have one label: the one whose value the message tells comes first.
        told_values = set(message.replace(".", " ").replace(":", " ").split())
        rows.sort(key=lambda number: _whole(table.rows[number][column]) not in told_values)
        if rows:
            return rows[0], column
    return None


def _whole(cell: str) -> str:
    return cell.removesuffix(".0")
