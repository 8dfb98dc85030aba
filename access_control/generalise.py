"""What a rendition may do to a column: small rules, each a function from Arrow array to Arrow array.

A rule knows the kinds of column it applies to, what type comes out, and how to say in words what it did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

NUMBERS = frozenset({"integer", "number"})
TIMES = frozenset({"date", "datetime"})
TEXT = frozenset({"string"})
EVERY = frozenset({"integer", "number", "string", "boolean", "date", "datetime", "time", "duration"})


class Rule(Protocol):
    """One treatment of one column."""

    @property
    def kinds(self) -> frozenset[str]:
        """Frictionless types of the columns that it can be applied to."""

    def words(self) -> str:
        """What it does, for the dictionary."""

    def result(self, kind: str) -> str:
        """The Frictionless type that comes out of a column of type `kind`."""

    def apply(self, column: pa.Array) -> pa.Array:
        """The treated column, of the same length; missing stays missing."""


@dataclass(frozen=True)
class Keep:
    """The column as it is."""

    kinds = EVERY

    def words(self) -> str:
        return ""

    def result(self, kind: str) -> str:
        return kind

    def apply(self, column: pa.Array) -> pa.Array:
        return column


@dataclass(frozen=True)
class Width:
    """Numbers to bands of one width: 34 -> `30-39`; at `top` and above one open band, `80+`."""

    width: float
    top: float | None = None
    kinds = NUMBERS

    def words(self) -> str:
        open_band = f", {_text(self.top)} and above together" if self.top is not None else ""
        return f"in bands of {_text(self.width)}{open_band}"

    def result(self, kind: str) -> str:
        return "string"

    def apply(self, column: pa.Array) -> pa.Array:
        whole = pa.types.is_integer(column.type) and float(self.width).is_integer()
        values, present = _numbers(column)
        lower = np.floor(values / self.width) * self.width
        if self.top is not None:
            lower = np.where(values >= self.top, np.inf, lower)
        starts, which = np.unique(lower, return_inverse=True)
        labels = [f"{_text(self.top)}+" if np.isinf(s) else _band(s, s + self.width, whole=whole) for s in starts]
        return _labelled(labels, which, present)


@dataclass(frozen=True)
class Edges:
    """Numbers to bands between given edges: with 18, 30, 45 -> `under 18`, `18-29`, `30-44`, `45+`."""

    edges: tuple[float, ...]
    kinds = NUMBERS

    def words(self) -> str:
        return "in bands with edges at " + ", ".join(_text(edge) for edge in self.edges)

    def result(self, kind: str) -> str:
        return "string"

    def apply(self, column: pa.Array) -> pa.Array:
        whole = pa.types.is_integer(column.type) and all(float(edge).is_integer() for edge in self.edges)
        values, present = _numbers(column)
        which = np.searchsorted(np.array(self.edges, dtype=np.float64), values, side="right")
        between = [_band(a, b, whole=whole) for a, b in zip(self.edges, self.edges[1:], strict=False)]
        labels = [f"under {_text(self.edges[0])}", *between, f"{_text(self.edges[-1])}+"]
        return _labelled(labels, which, present)


@dataclass(frozen=True)
class Round:
    """Numbers to the nearest multiple."""

    multiple: float
    kinds = NUMBERS

    def words(self) -> str:
        return f"rounded to multiples of {_text(self.multiple)}"

    def result(self, kind: str) -> str:
        return "integer" if kind == "integer" and float(self.multiple).is_integer() else "number"

    def apply(self, column: pa.Array) -> pa.Array:
        if pa.types.is_integer(column.type) and float(self.multiple).is_integer():
            # In whole numbers: a float would not hold every one of them.
            step = int(self.multiple)
            shifted = pc.add(column.cast(pa.int64()), step // 2)
            return pc.subtract(shifted, _modulo(shifted, step))
        return pc.round_to_multiple(column.cast(pa.float64()), self.multiple)


@dataclass(frozen=True)
class Clip:
    """Numbers beyond the ends are set to the ends (top and bottom coding)."""

    low: float | None
    high: float | None
    kinds = NUMBERS

    def words(self) -> str:
        parts = [f"values below {_text(self.low)} shown as {_text(self.low)}"] if self.low is not None else []
        if self.high is not None:
            parts.append(f"values above {_text(self.high)} shown as {_text(self.high)}")
        return " and ".join(parts)

    def result(self, kind: str) -> str:
        return kind

    def apply(self, column: pa.Array) -> pa.Array:
        for end, chosen in ((self.low, pc.max_element_wise), (self.high, pc.min_element_wise)):
            if end is not None:
                column = chosen(column, pa.scalar(end).cast(column.type), skip_nulls=False)
        return column


@dataclass(frozen=True)
class Truncate:
    """Dates to their year (a whole number), quarter (`2004-Q2`) or month (`2004-05`)."""

    to: str
    kinds = TIMES

    def words(self) -> str:
        return f"the {self.to} only"

    def result(self, kind: str) -> str:
        return "integer" if self.to == "year" else "string"

    def apply(self, column: pa.Array) -> pa.Array:
        year = pc.year(column)
        if self.to == "year":
            return year.cast(pa.int64())
        years = year.cast(pa.string())
        if self.to == "quarter":
            return pc.binary_join_element_wise(years, pc.quarter(column).cast(pa.string()), "-Q")
        month = pc.utf8_lpad(pc.month(column).cast(pa.string()), 2, "0")
        return pc.binary_join_element_wise(years, month, "-")


@dataclass(frozen=True)
class First:
    """The first characters of a text, such as the first three of a ZIP code."""

    count: int
    kinds = TEXT

    def words(self) -> str:
        return f"the first {self.count} characters only"

    def result(self, kind: str) -> str:
        return "string"

    def apply(self, column: pa.Array) -> pa.Array:
        return pc.utf8_slice_codeunits(column, 0, self.count)


@dataclass(frozen=True)
class PostcodeArea:
    """The area of a British postcode, its leading letters: `SW1A 1AA` -> `SW`; what has none becomes missing."""

    kinds = TEXT

    def words(self) -> str:
        return "the postcode's area only"

    def result(self, kind: str) -> str:
        return "string"

    def apply(self, column: pa.Array) -> pa.Array:
        upper = pc.utf8_upper(pc.utf8_trim_whitespace(column))
        return pc.struct_field(pc.extract_regex(upper, r"^(?P<area>[A-Z]{1,2})[0-9]"), "area")


@dataclass(frozen=True)
class Groups:
    """Values to named groups; a value in no group becomes `other`."""

    labels: Mapping[Any, str]
    other: str
    kinds = frozenset({"integer", "string", "boolean"})

    def words(self) -> str:
        names = sorted(set(self.labels.values()))
        return f"grouped to {', '.join(names)} or {self.other}"

    def result(self, kind: str) -> str:
        return "string"

    def apply(self, column: pa.Array) -> pa.Array:
        coded = column.dictionary_encode()
        names = [None if v is None else self.labels.get(v, self.other) for v in coded.dictionary.to_pylist()]
        return pa.array(names, pa.string()).take(coded.indices)


def _modulo(column: pa.Array, step: int) -> pa.Array:
    """The remainder, from 0 to step - 1, in whole numbers (Arrow's division truncates towards zero)."""
    rest = pc.subtract(column, pc.multiply(pc.divide(column, step), step))
    return pc.if_else(pc.less(rest, 0), pc.add(rest, step), rest)


def _numbers(column: pa.Array) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Values as floats, and which of them are there; what is not finite counts as missing."""
    values: npt.NDArray[np.float64] = column.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    present: npt.NDArray[np.bool_] = np.isfinite(values)
    return np.where(present, values, 0.0), present


def _labelled(labels: list[str], which: npt.NDArray[Any], present: npt.NDArray[np.bool_]) -> pa.Array:
    indices = pa.array(which.astype(np.int64), mask=~present)
    return pa.array(labels, pa.string()).take(indices)


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if float(value).is_integer() else f"{value:g}"


def _band(low: float, high: float, *, whole: bool) -> str:
    if not whole:
        return f"{_text(low)}-<{_text(high)}"
    return _text(low) if high - low == 1 else f"{_text(low)}-{_text(high - 1)}"
