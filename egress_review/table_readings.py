"""How a table may be read as figures of groups: which of its columns, and whether its header, tell the groups apart.

Groups are recognised by what their labels say, compared with the values of the source's columns; what a column is
called only decides which of them is tried first.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from egress_review import shown
from egress_review.count_columns import is_whole
from egress_review.source_table import Groups, SourceTable, label_of
from egress_review.tables import Table

MAX_HEIGHT = 5_000  # a longer table is no result, and is blocked for its length
MAX_LABELS = 4  # columns that together tell groups apart
MAX_CHOICES = 64  # ways of laying the columns of labels upon the source's
_LEAF = re.compile(r"[/|_.: ]|', '")


@dataclass(frozen=True)
class Slot:
    """Labels that tell groups apart, and the source's columns that hold them. None stands for all groups together."""

    name: str
    labels: tuple[str | None, ...]
    options: tuple[Groups, ...]


@dataclass
class Line:
    """Figures of one statistic: cells by (row, column), their values and steps, and each one's label in every slot."""

    name: str
    cells: list[tuple[int, int]] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    coarse: list[float] = field(default_factory=list)
    labels: list[tuple[str | None, ...]] = field(default_factory=list)


@dataclass
class Reading:
    """One way to read a table: its slots, and its lines."""

    table: Table
    slots: list[Slot]
    lines: list[Line]

    def place(self, cell: tuple[int, int]) -> str:
        """Row and column of a cell, as a person finds it."""
        row, column = cell
        label = self.table.cell(row, 0)[:40] or f"row {row + 1}"
        return f"{label} / {self.table.header[column][:40] or f'column {column + 1}'}"

    def choices(self) -> Iterator[tuple[Groups, ...]]:
        """A source's column for each slot, no column twice; the likeliest first."""
        chosen = itertools.product(*(slot.options for slot in self.slots))
        different = (each for each in chosen if len({groups.key for groups in each}) == len(each))
        return itertools.islice(different, MAX_CHOICES)


def readings(table: Table, source: SourceTable) -> list[Reading]:
    """All ways to read a table, as it is and on its side; empty where no label is a value of the source."""
    if table.height > MAX_HEIGHT or table.width > 400 or table.notes.get("log"):
        return []
    found = _upright(table, source)
    if not found and (other := shown.flipped(table)) is not None:
        found = _upright(other, source)
    return found


def _upright(table: Table, source: SourceTable) -> list[Reading]:
    slots = _label_slots(table, source)
    taken = {column for column, _ in slots}
    figures = [c for c in range(table.width) if c not in taken and _figures(table, c)]
    found = []
    for used in range(len(slots), -1, -1):
        inner = [slot for _, slot in slots[:used]]
        columns = sorted({*figures, *(c for c, _ in slots[used:] if _figures(table, c))})
        crossed = _header_slot(table, columns, source)
        if crossed is not None:
            held, header = crossed
            found.append(_grid(table, [*inner, header], held))
            if not inner:
                continue
        if inner and columns:
            found.append(_columns(table, inner, columns))
    return found


def _figures(table: Table, column: int) -> bool:
    return bool(np.mean(~np.isnan(shown.column_of(table, column).values)) > 0.3)


def _label_slots(table: Table, source: SourceTable) -> list[tuple[int, Slot]]:
    """Columns of labels: those in front, and any other of text."""
    found: list[tuple[int, Slot]] = []
    for column in range(min(table.width - 1, 12)):
        texts = [str(text or "").strip() for text in table.texts(column).to_list()]
        values = table.numbers(column)
        numeric = bool(np.mean(~np.isnan(values)) > 0.5)
        if numeric and (len(found) < column or not is_whole(values)) and column > 1:
            continue
        if len(found) >= MAX_LABELS:
            break
        filled = [texts[0]]
        for text in texts[1:]:  # a label that is written once for several rows
            filled.append(text or filled[-1])
        labels = tuple(None if shown.is_margin(text) or not text else label_of(text) for text in filled)
        options = _options(source, {label for label in labels if label}, table.header[column])
        if options:
            found.append((column, Slot(table.header[column], labels, options)))
    return found


def _header_slot(table: Table, columns: list[int], source: SourceTable) -> tuple[list[int], Slot] | None:
    """The columns whose names are groups, as those of a pivot table are."""
    if len(columns) < 2:
        return None
    names = [table.header[c].strip().strip("()'\" ") for c in columns]
    for leaves in (
        names,
        [_LEAF.split(name)[-1].strip("' ") for name in names],
        [_LEAF.split(name)[0] for name in names],
    ):
        labels = [None if shown.is_margin(leaf) else label_of(leaf) for leaf in leaves]
        wanted = {label for label in labels if label}
        options = _options(source, wanted, "") if len(wanted) >= 2 else ()
        if options:
            return columns, Slot("", tuple(labels), options)
    return None


def _options(source: SourceTable, labels: set[str], name: str) -> tuple[Groups, ...]:
    """The source's columns that hold nearly all of the labels; those of a like name first."""
    if not labels or len(labels) > 2_000:
        return ()
    numbers = [float(label) for label in labels if re.fullmatch(r"[-+]?[\d.]+(?:e[-+]?\d+)?", label)]
    found = []
    for column in source.names:
        alike = same_name(name, column)
        if source.numeric(column):
            span = source.span(column)
            if len(numbers) < 0.8 * len(labels):
                continue
            if span and sum(span[0] <= number <= span[1] for number in numbers) < 0.8 * len(labels):
                continue
        groups = source.groups(column)
        held = len(labels & groups.labels.keys()) if groups else 0
        if groups and held >= 0.8 * len(labels) and (held >= 2 or alike):
            found.append((not alike, len(groups.labels) - held, groups))
    return tuple(groups for *_, groups in sorted(found, key=lambda each: each[:2]))


@functools.lru_cache(maxsize=20_000)
def same_name(shown_as: str, column: str) -> bool:
    """Whether the name of a column in an output says a column of the source."""
    words = re.split(r"[^0-9a-z]+", shown_as.casefold())
    whole = "_".join(words)
    return bool(column) and (f"_{'_'.join(re.split(r'[^0-9a-z]+', column.casefold()))}_" in f"_{whole}_")


def _columns(table: Table, slots: list[Slot], columns: list[int]) -> Reading:
    """Each column of figures a line."""
    lines = []
    for column in columns:
        figures = shown.column_of(table, column)
        line = Line(table.header[column])
        for row in np.flatnonzero(~np.isnan(figures.values)):
            _add(line, (int(row), column), figures, tuple(slot.labels[row] for slot in slots))
        if line.cells:
            lines.append(line)
    return Reading(table, slots, lines)


def _grid(table: Table, slots: list[Slot], columns: list[int]) -> Reading:
    """All cells under a header of groups one line."""
    line = Line("")
    header = slots[-1].labels
    for place, column in enumerate(columns):
        figures = shown.column_of(table, column)
        for row in np.flatnonzero(~np.isnan(figures.values)):
            labels = (*(slot.labels[row] for slot in slots[:-1]), header[place])
            _add(line, (int(row), column), figures, labels)
    return Reading(table, slots, [line])


def _add(line: Line, cell: tuple[int, int], figures: shown.Column, labels: tuple[str | None, ...]) -> None:
    line.cells.append(cell)
    line.values.append(float(figures.values[cell[0]]))
    line.steps.append(float(figures.steps[cell[0]]))
    line.coarse.append(float(figures.coarse[cell[0]]))
    line.labels.append(labels)
