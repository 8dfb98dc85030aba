"""The data that an output was made from, column by column, for computing its cells again inside the sandbox.

What is opened is the rendition that the author's sessions had mounted, never the original behind it: a parser that is
taken over by a file sees nothing that the author could not have written into that file. The file is mapped before the
process shuts itself in; nothing is opened afterwards.
"""

from __future__ import annotations

import functools
import mmap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet

from egress_review.errors import Refused
from egress_review.index_columns import canonical_text

Codes = npt.NDArray[np.int16] | npt.NDArray[np.int32]
Marks = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

MAX_ROWS = 20_000_000  # of a source; of more, a column does not fit beside its groups into a worker's memory
MAX_GROUPS = 2_000  # different values of a column that is taken for one of groups
NARROW = 1 << 20  # the widest range of whole numbers that are looked up rather than searched
PART = 1 << 18  # rows at a time
KEPT_BYTES = 160 * 1024**2  # of columns that are kept for the next table
_TRUTH = {"true": "1", "false": "0"}


def label_of(text: str) -> str:
    """A label of a group in one form, whatever it was written as: `1.0`, `1` and `True` are the same."""
    text = canonical_text(text)
    if text in _TRUTH:
        return _TRUTH[text]
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{number:.12g}" if np.isfinite(number) else ""


@dataclass(frozen=True, eq=False)
class Groups:
    """A column of few values: for each row a code (-1 where it is empty), and the code of each label."""

    name: str
    codes: Codes
    labels: dict[str, int]
    size: int  # codes are below it
    bands: str = ""  # how its numbers were put together, where they were

    @property
    def key(self) -> str:
        """What tells it from other groups of the same source."""
        return f"{self.name} {self.bands}"


@dataclass
class SourceTable:
    """One mounted rendition. `unit` is the column that tells whose row it is; empty: each row is a unit of its own."""

    name: str
    rows: int
    unit: str
    mapped: Any
    _file: Any = field(repr=False)
    _groups: dict[str, Groups | None] = field(default_factory=dict, repr=False)
    _numbers: dict[str, Floats] = field(default_factory=dict, repr=False)
    _units: Marks | None = field(default=None, repr=False)
    _kept: int = 0

    @functools.cached_property
    def schema(self) -> Any:
        """The Arrow schema."""
        return self._file.schema_arrow

    @functools.cached_property
    def names(self) -> list[str]:
        """The columns in their order."""
        return list(self.schema.names)

    def numeric(self, name: str) -> bool:
        """Whether there is something to add up in the column."""
        kind = self.schema.field(name).type
        tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
        return any(test(kind) for test in tests)

    def span(self, name: str) -> tuple[float, float] | None:
        """The least and the greatest number as the file's own statistics have them; None where they say nothing."""
        place, metadata = self.names.index(name), self._file.metadata
        low, high = np.inf, -np.inf
        for group in range(metadata.num_row_groups):
            part = metadata.row_group(group).column(place)
            if part.path_in_schema != name or not part.is_stats_set or not part.statistics.has_min_max:
                return None
            try:
                low, high = min(low, float(part.statistics.min)), max(high, float(part.statistics.max))
            except (TypeError, ValueError):
                return None
        return (low, high) if low <= high else None

    def groups(self, name: str) -> Groups | None:
        """The column as groups; None for one of too many different values."""
        if name not in self._groups:
            self._groups[name] = self._coded(name)
        return self._groups[name]

    def numbers(self, name: str) -> Floats:
        """The column as float64, NaN where it is empty."""
        if name not in self._numbers:
            values = self._floats(name)
            if self._kept + values.nbytes > KEPT_BYTES:
                self._numbers, self._kept = {}, 0
            self._numbers[name] = values
            self._kept += values.nbytes
        return self._numbers[name]

    def _floats(self, name: str) -> Floats:
        """The column a part at a time, so that little more is held than the result; days and times as numbers."""
        kind = self.schema.field(name).type
        values = np.full(self.rows, np.nan)
        at = 0
        for batch in self._file.iter_batches(PART, columns=[name], use_threads=False):
            part = batch.column(0)
            if pa.types.is_temporal(kind):
                part = part.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
            elif pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
                part = part.cast(pa.int8() if pa.types.is_boolean(kind) else pa.float64())
            values[at : at + len(part)] = part.to_numpy(zero_copy_only=False)
            at += len(part)
        return values

    def units(self) -> Marks | None:
        """For each row a mark of its unit, the same in all its rows; None where each row is its own."""
        if self._units is None and self.unit in self.names:
            series = self._read(self.unit)
            marks = series.hash().to_numpy().copy()
            # A row without a unit is taken for one of its own: nothing says that two such are the same.
            empty = np.flatnonzero(series.is_null().to_numpy())
            marks[empty] = np.arange(len(empty), dtype=np.uint64)
            self._units = marks
        return self._units

    def _read(self, name: str) -> pl.Series:
        series = pl.from_arrow(self._file.read([name], use_threads=False).column(0))
        if not isinstance(series, pl.Series):
            raise Refused(f"The column {name!r} of {self.name} cannot be read as one column.")
        return series

    def _few_at_first(self, name: str) -> bool:
        """Whether the first rows have few different values; saves reading a column of many to its end."""
        if self._file.num_row_groups < 2:
            return True
        first = pl.from_arrow(self._file.read_row_group(0, [name], use_threads=False).column(0))
        return isinstance(first, pl.Series) and first.n_unique() <= MAX_GROUPS

    def _coded(self, name: str) -> Groups | None:
        kind = self.schema.field(name).type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or not self._few_at_first(name):
            return None
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
            return self._of_texts(name, self._file.read([name], use_threads=False).column(0))
        if not (self.numeric(name) or pa.types.is_temporal(kind)) or pa.types.is_duration(kind):
            return None
        found = _codes_of(self._floats(name) if pa.types.is_temporal(kind) else self.numbers(name))
        if found is None:
            return None
        values, codes = found
        if pa.types.is_temporal(kind):
            whole = pa.array(values.astype(np.int64)).cast(pa.int32() if kind.bit_width == 32 else pa.int64())
            texts = whole.cast(kind).cast(pa.string()).to_pylist()
        else:
            texts = [f"{value:.12g}" for value in values]
        return Groups(name, codes, _labels(texts), len(values))

    def _of_texts(self, name: str, column: Any) -> Groups | None:
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        column = column.unify_dictionaries()
        words = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
        if not 0 < len(words) <= MAX_GROUPS:
            return None
        places = np.concatenate([_places(part.indices) for part in column.chunks])
        labels = _labels(["" if word is None else str(word) for word in words])
        table = np.array([labels.get(label_of(str(word or "")), -1) for word in words] + [-1], dtype=np.int16)
        return Groups(name, table[places], labels, len(words))


def _places(indices: pa.Array) -> npt.NDArray[np.int32]:
    """The places in the dictionary, -1 for an empty cell."""
    series = pl.Series(pl.from_arrow(indices)).cast(pl.Int32)
    return (series.fill_null(-1) if series.null_count() else series).to_numpy()


def _labels(texts: list[str]) -> dict[str, int]:
    """The code of each label; of two that are written alike the first, as their groups cannot be told apart."""
    found: dict[str, int] = {}
    for code, text in enumerate(texts):
        label = label_of(text)
        if label:
            found.setdefault(label, code)
    return found


def _codes_of(values: Floats) -> tuple[Floats, Codes] | None:
    """The different values, and each row's place among them; None for more than a column of groups has."""
    found = np.empty(0)
    for start in range(0, len(values), PART):
        part = values[start : start + PART]
        found = np.union1d(found, part[~np.isnan(part)])
        if len(found) > MAX_GROUPS:
            return None
    if not len(found) or not bool(np.isfinite(found).all()):
        return None
    low, span = found[0], found[-1] - found[0]
    table = np.zeros(int(span) + 1 if span < NARROW else 0, dtype=np.int16)
    looked_up = len(table) > 0 and bool((found == np.rint(found)).all())
    if looked_up:
        table[(found - low).astype(np.int64)] = np.arange(len(found))
    codes = np.empty(len(values), dtype=np.int16)
    for start in range(0, len(values), PART):
        part = values[start : start + PART]
        empty = np.isnan(part)
        filled = np.where(empty, low, part)
        places = table[(filled - low).astype(np.int64)] if looked_up else np.searchsorted(found, filled)
        codes[start : start + PART] = np.where(empty, -1, places)
    return found, codes


def open_source(path: Path, name: str, unit: str = "") -> SourceTable:
    """Maps the Parquet file; raises Refused when it is not there or cannot be read."""
    try:
        with path.open("rb") as opened:
            mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        schema = pyarrow.parquet.read_schema(pa.BufferReader(pa.py_buffer(mapped)))
        texts = [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
        file = pyarrow.parquet.ParquetFile(pa.BufferReader(pa.py_buffer(mapped)), read_dictionary=texts)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise Refused(f"The data of {name} cannot be read, so its figures cannot be computed again: {error}") from error
    return SourceTable(name, int(file.metadata.num_rows), unit, mapped, file)
