"""Quality checks before publication: types, ranges, uniqueness, missing values. One that fails stops it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from access_control.data_package import field_type
from access_control.readers import read_parquet
from access_control.rendition_spec import Check
from access_control.uniqueness import sizes


@dataclass(frozen=True)
class Outcome:
    """One check and what came of it; `sentence` says both for the steward."""

    column: str
    check: str
    passed: bool
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, as RenditionVersion.quality keeps them."""
        return asdict(self)


@dataclass
class _Facts:
    """What one pass over the file tells of a column."""

    rows: int = 0
    missing: int = 0
    low: Any = None
    high: Any = None
    strangers: int = 0  # values outside `one_of`
    allowed: pa.Array | None = field(default=None)

    def look(self, column: pa.Array) -> None:
        self.rows += len(column)
        # A NaN is as good as missing: it would pass every comparison.
        empty = pc.is_null(column, nan_is_null=True)
        self.missing += pc.sum(empty).as_py() or 0
        column = column.filter(pc.invert(empty))
        if not len(column):
            return
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            ends = pc.min_max(column)
            low, high = ends["min"].as_py(), ends["max"].as_py()
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)
        if self.allowed is not None:
            self.strangers += len(column) - (pc.sum(pc.is_in(column, self.allowed)).as_py() or 0)


def run(path: Path, checks: Sequence[Check], rows_at_least: int) -> list[Outcome]:
    """Runs every check over a Parquet file, in one streaming pass and one more for each column that must be unique."""
    names = sorted({check.column for check in checks})
    with read_parquet(path, lambda _share: None, names or None) as reading:
        schema: pa.Schema = reading.schema
        facts = {name: _Facts() for name in names}
        wrong = {check.column: _allowed(check, schema, facts[check.column]) for check in checks}
        rows = 0
        for batch in reading.batches:
            rows += batch.num_rows
            for name in names:
                facts[name].look(batch.column(name))
    outcomes = [
        Outcome("", "rows_at_least", rows >= rows_at_least, f"{rows:,} rows; at least {rows_at_least:,} wanted")
    ]
    for check in checks:
        outcomes += _outcomes(check, schema, facts[check.column], path, wrong[check.column])
    return outcomes


def _allowed(check: Check, schema: pa.Schema, facts: _Facts) -> str:
    """Prepares the values of `one_of`; returns why they cannot be compared, or nothing."""
    if check.one_of is None:
        return ""
    try:
        facts.allowed = pa.array(check.one_of).cast(schema.field(check.column).type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return f"the values of one_of are of another type than the column ({schema.field(check.column).type})"
    return ""


def _outcomes(check: Check, schema: pa.Schema, facts: _Facts, path: Path, wrong: str) -> list[Outcome]:
    name, found = check.column, []

    def note(kind: str, passed: bool, sentence: str) -> None:
        found.append(Outcome(name, kind, passed, f"{name}: {sentence}"))

    kind = field_type(schema.field(name).type)
    if check.type is not None:
        note("type", kind == check.type, f"is of type {kind}; {check.type} wanted")
    for bound, seen, word in ((check.minimum, facts.low, "minimum"), (check.maximum, facts.high, "maximum")):
        if bound is None:
            continue
        if kind not in {"integer", "number"}:
            note(word, False, f"has no {word}: it is of type {kind}")
        elif seen is None:
            note(word, True, f"has no value to compare with the {word} {bound:g}")
        else:
            within = seen >= bound if word == "minimum" else seen <= bound
            note(word, within, f"{word} is {seen:g}; {'at least' if word == 'minimum' else 'at most'} {bound:g} wanted")
    if check.missing_at_most is not None:
        share = facts.missing / facts.rows if facts.rows else 0.0
        note("missing_at_most", share <= check.missing_at_most,
             f"{share:.1%} missing; at most {check.missing_at_most:.1%} wanted")  # fmt: skip
    if check.unique:
        groups = sizes(path, [name])
        note("unique", groups.unique == groups.rows, f"{groups.groups:,} different values in {groups.rows:,} rows")
    if check.one_of is not None:
        note(
            "one_of", not wrong and not facts.strangers, wrong or f"{facts.strangers:,} values are none of those listed"
        )
    return found
