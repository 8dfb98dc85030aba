"""Suppressed cells that can be worked out from the totals: an interval for each, by linear programme."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.optimize
import scipy.sparse

from egress_review.count_columns import LABELS, is_rounded, layout, suppressed
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule
from egress_review.tables import Floats, Table

RECOVERABLE = rule("suppression.recoverable", "blocks", "A suppressed cell that can be worked out",
    source="Fischetti & Salazar 2001 (interval audit); a 20 × 10 table with primary suppression alone gave 17 of 31 cells exactly",
    why="Row and column totals minus the cells that are shown leave the suppressed one, or a narrow interval for it.",
    remedy="Suppress a second cell in the same row and column, take out the totals, or round the table.")  # fmt: skip

MAX_CELLS = 400


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in every cross table with margins and suppressed cells."""
    for table in subject.tables:
        senses = layout(table)
        if len(senses.counts) < 1 or table.height < 2 or table.height > 500:
            continue
        yield from _audit(subject, table, senses.counts)


def _margins(table: Table, counts: list[int], labels: int) -> tuple[int | None, int | None]:
    """(row of column totals, column of row totals), by label."""
    texts = table.texts(labels).to_list()
    rows = [row for row, text in enumerate(texts) if text and LABELS.match(str(text).strip())]
    columns = [
        c
        for c in counts
        if LABELS.match(table.header[c].strip()) or table.header[c].strip().lower() in ("n", "row total", "row_total")
    ]
    return (rows[-1] if rows else None), (columns[-1] if columns and len(counts) > 1 else None)


def _audit(subject: Subject, table: Table, counts: list[int]) -> Iterator[Finding]:
    total_row, total_column = _margins(table, counts, 0)
    if total_row is None and total_column is None:
        return
    hidden = {(row, column) for column in counts for row in suppressed(table, column)}
    hidden = {cell for cell in hidden if cell[0] != total_row and cell[1] != total_column}
    if not hidden or len(hidden) > MAX_CELLS:
        return
    values = {column: table.numbers(column) for column in counts}
    base = subject.profile.round_to
    rounded = base > 1 and all(is_rounded(values[column], base) for column in counts)
    intervals = _intervals(
        values,
        hidden,
        table.height,
        counts,
        total_row=total_row,
        total_column=total_column,
        base=float(base) if rounded else 0.0,
    )
    near = subject.profile.threshold / 2
    narrow = [(cell, low, high) for cell, (low, high) in intervals.items() if high - low < near]
    if narrow:
        (row, column), low, high = narrow[0]
        place = f"{table.where or subject.name}: {table.cell(row, 0)[:40]} / {table.header[column][:40]}"
        told = f"{low:.0f}" if high - low < 0.5 else f"{low:.0f} to {high:.0f}"
        yield RECOVERABLE.found(
            place,
            f"Of {many(len(hidden), 'suppressed cell', 'suppressed cells')} {many(len(narrow), 'follows', 'follow')} from the totals; this one is {told}.",
        )


def _intervals(
    values: dict[int, Floats],
    hidden: set[tuple[int, int]],
    height: int,
    counts: list[int],
    *,
    total_row: int | None,
    total_column: int | None,
    base: float,
) -> dict[tuple[int, int], tuple[float, float]]:
    """The least and greatest value that each hidden cell can have, given the totals (each within half a `base`)."""
    order = {cell: place for place, cell in enumerate(sorted(hidden))}
    lines: list[tuple[list[int], float, float]] = []
    inner_rows = [row for row in range(height) if row != total_row]
    inner_columns = [column for column in counts if column != total_column]
    if total_column is not None:
        for row in inner_rows:
            lines += _line([(row, column) for column in inner_columns], values[total_column][row], values, order, base)
    if total_row is not None:
        for column in inner_columns:
            lines += _line([(row, column) for row in inner_rows], values[column][total_row], values, order, base)
    if not lines:
        return {}
    matrix = scipy.sparse.lil_matrix((len(lines), len(order)))
    for number, (cells, _, _) in enumerate(lines):
        for unknown in cells:
            matrix[number, unknown] = 1.0
    low = np.array([line[1] for line in lines])
    high = np.array([line[2] for line in lines])
    above = scipy.sparse.vstack([matrix.tocsr(), -matrix.tocsr()])
    bounds = np.concatenate([high, -low])
    found: dict[tuple[int, int], tuple[float, float]] = {}
    constrained = {unknown for cells, _, _ in lines for unknown in cells}
    for cell, place in order.items():
        if place not in constrained:
            continue
        cost = np.zeros(len(order))
        cost[place] = 1.0
        least = scipy.optimize.linprog(cost, A_ub=above, b_ub=bounds, bounds=(0, None), method="highs")
        most = scipy.optimize.linprog(-cost, A_ub=above, b_ub=bounds, bounds=(0, None), method="highs")
        if least.status == 0 and most.status == 0:
            found[cell] = (float(least.fun), float(-most.fun))
    return found


def _line(
    cells: list[tuple[int, int]],
    total: float,
    values: dict[int, Floats],
    order: dict[tuple[int, int], int],
    base: float,
) -> list[tuple[list[int], float, float]]:
    if np.isnan(total):
        return []
    unknown = [order[cell] for cell in cells if cell in order]
    shown = sum(
        float(values[column][row])
        for row, column in cells
        if (row, column) not in order and not np.isnan(values[column][row])
    )
    slack = base / 2 * (len(cells) - len(unknown) + 1)
    return [(unknown, total - shown - slack, total - shown + slack)] if unknown and total - shown + slack >= 0 else []
