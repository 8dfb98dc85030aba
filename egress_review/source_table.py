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

Codes = npt.NDArray[np.int32]
Marks = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

MAX_ROWS = 30_000_000  # of a source; of more, a column does not fit beside its groups into a worker's memory
MAX_GROUPS = 2_000  # different values of a column that is taken for one of groups
NARROW = 1 << 20  # the widest range of whole numbers that are looked up rather than searched
KEPT_BYTES = 400 * 1024**2  # of columns that are kept for the next table
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
            series = self._read(name)
            values = series.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy().astype(np.float64)
            if self._kept > KEPT_BYTES:
                self._numbers, self._kept = {}, 0
            self._numbers[name] = values
            self._kept += values.nbytes
        return self._numbers[name]

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
        column = self._file.read([name], use_threads=False).column(0)
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
            return self._of_texts(name, column)
        series = pl.from_arrow(column)
        if not isinstance(series, pl.Series):
            return None
        plain = series.cast(pl.Int8) if series.dtype == pl.Boolean else series.to_physical()
        if not (plain.dtype.is_integer() or plain.dtype.is_float() or plain.dtype.is_decimal()):
            return None
        found = _narrow(plain) or _searched(plain)
        if found is None:
            return None
        values, codes = found
        if series.dtype.is_temporal():
            texts = pl.Series(values).cast(plain.dtype).cast(series.dtype).cast(pl.String).to_list()
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
        table = np.array([labels.get(label_of(str(word or "")), -1) for word in words] + [-1], dtype=np.int32)
        return Groups(name, table[places], labels, len(words))


def _places(indices: pa.Array) -> npt.NDArray[np.int64]:
    """The places in the dictionary, -1 for an empty cell."""
    series = pl.Series(pl.from_arrow(indices)).cast(pl.Int64)
    return (series.fill_null(-1) if series.null_count() else series).to_numpy()


def _labels(texts: list[str]) -> dict[str, int]:
    """The code of each label; of two that are written alike the first, as their groups cannot be told apart."""
    found: dict[str, int] = {}
    for code, text in enumerate(texts):
        label = label_of(text)
        if label:
            found.setdefault(label, code)
    return found


def _narrow(series: pl.Series) -> tuple[Floats, Codes] | None:
    """The different values and each row's place among them, for whole numbers of a narrow range: by looking up."""
    low, high = series.min(), series.max()
    if not series.dtype.is_integer() or not isinstance(low, int) or not isinstance(high, int) or high - low >= NARROW:
        return None
    empty = series.is_null().to_numpy() if series.null_count() else None
    filled = series.fill_null(low) if empty is not None else series
    shifted = (filled.cast(pl.Int64) - low).to_numpy()
    used = np.flatnonzero(np.bincount(shifted if empty is None else shifted[~empty]))
    if len(used) > MAX_GROUPS:
        return None
    table = np.zeros(high - low + 1, dtype=np.int32)
    table[used] = np.arange(len(used), dtype=np.int32)
    codes = table.take(shifted)
    if empty is not None:
        codes[empty] = -1
    return (used + low).astype(np.float64), codes


def _searched(series: pl.Series) -> tuple[Floats, Codes] | None:
    """The same for any numbers, by searching; None for more different values than a column of groups has."""
    values = series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    for part in (values[:: max(1, len(values) // 20_000)], values):
        known = part[~np.isnan(part)]
        if not len(known) and part is values:
            return None
        found = np.sort(pl.Series(known).unique().to_numpy())
        if len(found) > MAX_GROUPS:
            return None
    if not bool(np.isfinite(found).all()):
        return None
    codes = np.searchsorted(found, values).astype(np.int32)
    codes[np.isnan(values)] = -1
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
