"""The rows of a policy and the index that picks those which can matter to one question: project, then data, then rows.

Leaving the others out is safe because `names(p.project, …)` and `names(p.data, …)` are conjuncts of the matcher: a row
that is not picked could not have matched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

from access_control.facts import ANY

NO_AGREEMENT = "none"


class Row(NamedTuple):
    """A row of the policy; its fields are model.conf's policy_definition, in that order."""

    id: str
    eft: str
    role: str
    project: str
    data: str
    act: str
    purpose: str
    region: str
    start: str
    until: str
    training: str = ANY
    agreement: str = NO_AGREEMENT


Cell = Row | tuple[Row, ...]  # most cells hold one row, and a tuple around it would cost 64 bytes
Cells = dict[str, Cell]  # by what the data column names


class Rows:
    """An immutable set of rows, indexed; `any` is a table and a cell like every other name."""

    __slots__ = ("_tables", "by_id")

    def __init__(self, by_id: dict[str, Row], tables: dict[str, Cells]) -> None:
        self.by_id = by_id
        self._tables = tables

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Rows:
        """Indexes rows with different ids; their order is of no account."""
        by_id = {row[0]: row for row in sorted(rows, key=itemgetter(0))}
        tables: dict[str, Cells] = {}
        for row in by_id.values():
            for project, data in _cells(row):
                table = tables.get(project)
                if table is None:
                    table = tables[project] = {}
                table[data] = row if data not in table else (*_rows_in(table[data]), row)
        return cls(by_id, tables)

    def changed(self, add: Iterable[Row], remove: Iterable[str]) -> Rows:
        """The rows with some removed and some added; shares every table that did not change with this one."""
        by_id = dict(self.by_id)
        tables = dict(self._tables)
        copied: set[str] = set()

        def table_of(project: str) -> Cells:
            if project not in copied:
                copied.add(project)
                tables[project] = dict(tables.get(project, {}))
            return tables[project]

        gone = [by_id.pop(row_id) for row_id in remove if row_id in by_id]
        for row in gone:
            for project, data in _cells(row):
                table = table_of(project)
                left = tuple(other for other in _rows_in(table[data]) if other is not row)
                if left:
                    table[data] = left if len(left) > 1 else left[0]
                else:
                    del table[data]
        for row in add:
            if row.id in by_id:
                raise ValueError(f"two rows have the id {row.id}")
            by_id[row.id] = row
            for project, data in _cells(row):
                table = table_of(project)
                table[data] = row if data not in table else tuple(sorted((*_rows_in(table[data]), row)))
        for project in copied:
            if not tables[project]:
                del tables[project]
        return Rows(by_id, tables)

    def candidates(self, projects: tuple[str, ...], data: tuple[str, ...]) -> list[Row]:
        """The rows that can matter to a question about that project and data, in an order that is always the same."""
        found: list[Row] = []
        for project in (*projects, ANY):
            table = self._tables.get(project)
            if table:
                for name in (*data, ANY):
                    cell = table.get(name)
                    if cell is None:
                        continue
                    if isinstance(cell, Row):
                        found.append(cell)
                    else:
                        found += cell
        return found

    def data_named(self, projects: tuple[str, ...]) -> set[str]:
        """What the data columns of allow rows that speak of that project name."""
        return {
            name
            for project in (*projects, ANY)
            for name, cell in self._tables.get(project, {}).items()
            if any(row.eft == "allow" for row in _rows_in(cell))
        }

    def __iter__(self) -> Iterator[Row]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)


def _rows_in(cell: Cell) -> tuple[Row, ...]:
    return (cell,) if isinstance(cell, Row) else cell


def _cells(row: Row) -> Iterable[tuple[str, str]]:
    project, data = row[3], row[4]
    if "|" not in project and "|" not in data:
        return ((project, data),)
    return [(one, other) for one in dict.fromkeys(project.split("|")) for other in dict.fromkeys(data.split("|"))]
