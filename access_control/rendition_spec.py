"""What a rendition is declared to be, and whether its dataset can give it: plain values against a dictionary."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from access_control.errors import Invalid
from access_control.generalise import NUMBERS, TIMES, Keep, Rule
from access_control.pseudonyms import Pseudonym


@dataclass(frozen=True)
class ColumnSpec:
    """A column of the rendition: from which column of the dataset, under which name, treated how."""

    source: str
    name: str
    rule: Rule
    description: str | None = None


@dataclass(frozen=True)
class RowFilter:
    """A condition that a row must meet; a row whose value is missing does not (but for `present = false`)."""

    column: str
    condition: str
    value: Any


@dataclass(frozen=True)
class Suppression:
    """Groups of fewer than `below` rows that agree in all columns of `together` lose their rows or their values."""

    together: tuple[str, ...]
    below: int
    how: str  # rows or values


@dataclass(frozen=True)
class Check:
    """What must hold for a column of the rendition before it is published."""

    column: str
    type: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    missing_at_most: float | None = None  # share of the rows, 0 to 1
    unique: bool = False
    one_of: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Uniqueness:
    """The quasi-identifiers that the steward declares, and the smallest group that may be published (None: any)."""

    quasi_identifiers: tuple[str, ...]
    smallest_group: int | None


@dataclass(frozen=True)
class RenditionSpec:
    """A rendition as declared. `dropped` are the columns that are named as dropped."""

    dataset_id: str
    name: str
    title: str
    description: str
    tier: int
    keep_others: bool
    columns: tuple[ColumnSpec, ...]
    dropped: frozenset[str]
    rows: tuple[RowFilter, ...]
    suppress: Suppression | None
    checks: tuple[Check, ...]
    rows_at_least: int
    uniqueness: Uniqueness | None
    unit: str = ""  # the column that tells whose row it is; empty: each row is of one person

    @property
    def id(self) -> str:
        """Such as `hiv/pseudonymised`."""
        return f"{self.dataset_id}/{self.name}"

    @property
    def per_project(self) -> bool:
        """Whether a version is of one project only."""
        return any(isinstance(column.rule, Pseudonym) and column.rule.per_project for column in self.columns)

    def whole(self, columns: Sequence[Mapping[str, str]]) -> tuple[ColumnSpec, ...]:
        """Every column of the rendition, in the dataset's order; `columns` is the dataset's dictionary."""
        declared = {column.source: column for column in self.columns}
        result = []
        for row in columns:
            name = row["name"]
            if name in declared:
                result.append(declared[name])
            elif self.keep_others and name not in self.dropped:
                result.append(ColumnSpec(name, name, Keep()))
        return tuple(result)


class Faults:
    """Collects what is wrong, each with its place, and raises it together."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, place: str, what: str) -> None:
        """Notes one fault: `place` in the file, `what` is wrong and what to write instead."""
        self.lines.append(f"{place}: {what}")

    def stop(self, file: str) -> None:
        """Raises Invalid when anything was noted."""
        if self.lines:
            head = f"{file} is not accepted; nothing was changed."
            raise Invalid("\n".join([head, *(f"  {line}" for line in self.lines)]))


def declared_columns(spec: RenditionSpec, columns: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The dictionary of the rendition, from the dataset's dictionary: name, type, description and treatment."""
    known = {row["name"]: row for row in columns}
    rows = []
    for column in spec.whole(columns):
        source = known[column.source]
        row = {
            "name": column.name,
            "type": column.rule.result(source["type"]),
            "description": source["description"] if column.description is None else column.description,
        }
        if words := column.rule.words():
            row["treatment"] = words
        if column.name == spec.unit:
            row["unit"] = "yes"
        rows.append(row)
    return rows


def near(name: str, known: Sequence[str]) -> str:
    """What was perhaps meant, or what there is."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else "the columns are " + ", ".join(known) + "."


def check_against(spec: RenditionSpec, columns: Sequence[Mapping[str, str]], tier: int, file: str) -> None:
    """Checks a rendition against its dataset's dictionary and tier; raises Invalid with every fault and its place."""
    kinds = {row["name"]: row["type"] for row in columns}
    faults = Faults()
    if spec.tier > tier:
        faults.add("tier", f"{spec.tier} is above the tier {tier} of the dataset; a rendition is never more sensitive.")
    if spec.tier < tier and spec.uniqueness is None:
        faults.add(
            "uniqueness",
            f"is missing: a rendition of tier {spec.tier} of a dataset of tier {tier} must declare its "
            "quasi_identifiers ([] when it has none), so that its report says how far people stand out.",
        )
    for source in [*(column.source for column in spec.columns), *sorted(spec.dropped)]:
        if source not in kinds:
            faults.add(f"columns.{source}", f"the dataset has no such column; {near(source, list(kinds))}")
    for column in spec.columns:
        if (kind := kinds.get(column.source)) and kind not in column.rule.kinds:
            wanted = " or ".join(sorted(column.rule.kinds))
            faults.add(f"columns.{column.source}", f"this treatment is for {wanted}; the column is {kind}.")
    for number, row in enumerate(spec.rows, start=1):
        place = f"rows[{number}]"
        if row.column not in kinds:
            faults.add(f"{place}.column", f"the dataset has no column {row.column!r}; {near(row.column, list(kinds))}")
        elif not _comparable(kinds[row.column], row):
            faults.add(f"{place}.{row.condition}", f"{row.value!r} cannot be compared with {kinds[row.column]} values.")
    result = [column.name for column in spec.whole(columns)]
    for name in sorted({name for name in result if result.count(name) > 1}):
        faults.add("columns", f"two columns of the rendition would be called {name!r}; give one another name by `as`.")
    if not result:
        faults.add("columns", "no column is left; keep at least one.")
    _check_result_names(spec, result, faults)
    faults.stop(file)


def _check_result_names(spec: RenditionSpec, result: list[str], faults: Faults) -> None:
    named = [(f"checks.{check.column}", check.column) for check in spec.checks]
    if spec.unit:
        named.append(("unit", spec.unit))
    if spec.suppress is not None:
        named += [("suppress.together", name) for name in spec.suppress.together]
    if spec.uniqueness is not None:
        named += [("uniqueness.quasi_identifiers", name) for name in spec.uniqueness.quasi_identifiers]
    for place, name in named:
        if name not in result:
            faults.add(place, f"the rendition has no column {name!r}; {near(name, result)}")


def is_number(value: Any) -> bool:
    """Whether a TOML value is a number (a truth value is none)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _comparable(kind: str, row: RowFilter) -> bool:
    if row.condition == "present":
        return True
    values = row.value if isinstance(row.value, list) else [row.value]
    ordered = row.condition in {"at_least", "at_most", "above", "below"}
    if kind in NUMBERS:
        return all(is_number(value) for value in values)
    if kind in TIMES:
        return all(hasattr(value, "year") for value in values)
    if kind == "boolean":
        return not ordered and all(isinstance(value, bool) for value in values)
    return kind == "string" and all(isinstance(value, str) for value in values)
