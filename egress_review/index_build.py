"""Builds one column of an index, a part of the file at a time: what is in hand stays in the processor's cache.

Small whole numbers and decimals are looked up in a table of their hashes, text is hashed once a distinct value, and
everything else by arithmetic on whole arrays.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet

from egress_review.errors import Refused
from egress_review.index_columns import (
    COARSE_DIGITS,
    Floats,
    Hashes,
    Key,
    PlainNumbers,
    Prints,
    SmallNumbers,
    canonical_numbers,
    coarse_is_exact,
    fingerprints,
    hash_numbers,
    round_significant,
    short,
)

BINS = 1 << 16
MANY = 12_000  # fingerprints in use from which a bitmap of longer hashes is worth its room
PART = 1 << 17  # rows at a time
KEPT_TEXTS = 500_000  # distinct texts whose hashes are kept from part to part
SCALES = (1, 10, 100)


class Room:
    """A file that several columns are written into at once: each piece gets a place of its own."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.end = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> int:
        """The place of a new piece of `size` bytes."""
        with self._lock:
            place = self.end
            self.end += size + -size % 8
        return place

    def write(self, array: npt.NDArray[Any], place: int) -> None:
        """Writes all of `array` at `place`."""
        view = np.ascontiguousarray(array).view(np.uint8).data
        done = 0
        while done < len(view):
            done += os.pwrite(self.descriptor, view[done:], place + done)

    def copy(self, source: int, size: int, place: int) -> None:
        """Copies `size` bytes from `source` to `place`."""
        while size:
            part = os.pread(self.descriptor, min(size, 1 << 22), source)
            if not part:
                raise OSError("the index was cut short while it was written")
            self.write(np.frombuffer(part, np.uint8), place)
            source, place, size = source + len(part), place + len(part), size - len(part)


class Tables:
    """The tables of small numbers under one key, each made when it is first wanted."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.plain = PlainNumbers(key)
        self._made: dict[int, SmallNumbers] = {}
        self._flags: list[npt.NDArray[np.uint8]] = []
        self._lock = threading.Lock()

    def of(self, scale: int) -> SmallNumbers:
        """The table of k / scale."""
        with self._lock:
            if scale not in self._made:
                self._made[scale] = SmallNumbers(scale, self.key)
            return self._made[scale]

    def flags(self, bits: int) -> npt.NDArray[np.uint8]:
        """2 ** bits zeros; memory that was given back is used again, as new pages are dear."""
        with self._lock:
            kept = self._flags.pop() if self._flags and len(self._flags[-1]) == 1 << bits else None
        if kept is None:
            return np.zeros(1 << bits, dtype=np.uint8)
        kept.fill(0)
        return kept

    def give_back(self, flags: npt.NDArray[np.uint8]) -> None:
        """Takes memory back that `flags` gave."""
        with self._lock:
            self._flags.append(flags)


@dataclass
class Extreme:
    """The least or the greatest value of a column, and how many rows hold it."""

    value: float
    rows: int

    def meet(self, value: float, rows: int, *, least: bool) -> Extreme:
        """Itself or the other, whichever is further out; both together where they are equal."""
        if value == self.value:
            return Extreme(value, self.rows + rows)
        return Extreme(value, rows) if (value < self.value) == least else self


@dataclass
class ColumnBuild:
    """A column under way: what is added part by part, and written at its place in `room`."""

    name: str
    rows: int
    key: Key
    tables: Tables
    room: Room
    bitmap_wanted: bool = False  # begun at the first part only; whether it is kept is told at the end
    done: int = 0
    exact_at: int = -1
    coarse_at: int = -1
    bits: int = 0
    flags: npt.NDArray[np.uint8] | None = None
    lowest: Extreme | None = None
    highest: Extreme | None = None
    votes: int = 0
    numeric_votes: int = 0
    exact_counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    coarse_counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    _texts: dict[str | None, int] = field(default_factory=dict)
    _text_exact: list[Hashes] = field(default_factory=list)
    _text_coarse: list[Hashes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.exact_at = self.room.take(2 * self.rows)
        self.bits = int(np.clip(np.ceil(np.log2(max(2, self.rows * 6))), 17, 26))

    def add(self, part: pa.Array) -> None:
        """Adds the next rows."""
        if isinstance(part, pa.DictionaryArray) and (
            pa.types.is_string(part.type.value_type) or pa.types.is_large_string(part.type.value_type)
        ):
            self._add_texts(part)
            return
        series = pl.from_arrow(part)
        if not isinstance(series, pl.Series):
            raise Refused(f"The column {self.name!r} cannot be read as one column, so the data cannot be indexed.")
        if series.dtype.is_numeric() or series.dtype == pl.Boolean:
            self._add_numbers(series)
            return
        found = fingerprints(series, self.key)
        self._vote(len(part), numeric=found.numeric)
        self._put_hashes(found.exact, None if found.same else found.coarse)

    def _add_numbers(self, series: pl.Series) -> None:
        integers: npt.NDArray[np.int64] | None = None
        if series.dtype.is_integer() and not series.null_count():
            integers = series.to_numpy()
            low, high = int(integers.min()), int(integers.max())
            if low >= SmallNumbers.LOW and high < SmallNumbers.HIGH:
                self._put_small(self.tables.of(1), integers.astype(np.int64) - SmallNumbers.LOW)
                return
        floats = series.cast(pl.Float64, strict=False)
        values: Floats = (floats.fill_null(float("nan")) if floats.null_count() else floats).to_numpy()
        for scale in SCALES if integers is None else ():
            table = self.tables.of(scale)
            places = table.places(values)
            if places is not None:
                self._put_small(table, places)
                return
        known = values[~np.isnan(values)] if bool(np.isnan(values).any()) else values
        if len(known):
            ends = float(known.min()), float(known.max())
            # Counting those who hold the end costs a pass over the part: only where it is further out than before.
            low_rows = 0 if self._beyond(ends[0], least=True) else int((known == ends[0]).sum())
            high_rows = 0 if self._beyond(ends[1], least=False) else int((known == ends[1]).sum())
            self._meet(ends[0], low_rows, ends[1], high_rows)
        self._vote(len(values), numeric=True)
        if len(known) == len(values) and (plain := self.tables.plain.prints(values)):
            self._put_prints(*plain)
            return
        exact = hash_numbers(canonical_numbers(values), self.key)
        coarse = None
        if self.coarse_at >= 0 or not coarse_is_exact(values):
            coarse = hash_numbers(round_significant(values, COARSE_DIGITS), self.key)
        self._put_hashes(exact, coarse)

    def _beyond(self, value: float, *, least: bool) -> bool:
        held = self.lowest if least else self.highest
        return held is not None and (value > held.value if least else value < held.value)

    def _meet(self, low: float, low_rows: int, high: float, high_rows: int) -> None:
        self.lowest = self.lowest.meet(low, low_rows, least=True) if self.lowest else Extreme(low, low_rows)
        self.highest = self.highest.meet(high, high_rows, least=False) if self.highest else Extreme(high, high_rows)

    def _put_small(self, table: SmallNumbers, places: npt.NDArray[np.int64]) -> None:
        """Rows whose values are all in a table of small numbers: counted by value, hashed by looking up."""
        first = int(places.min())
        counted = np.bincount(places - first)
        used = np.flatnonzero(counted)
        found = used + first
        counted = counted[used]
        known = found[found != SmallNumbers.NIL]
        if len(known):
            low, high = (int(known[0]) + table.LOW) / table.scale, (int(known[-1]) + table.LOW) / table.scale
            self._meet(low, int(counted[0]), high, int(counted[len(known) - 1]))
            narrow = table.scale == 1 and low > -1000 and high < 1000
            if self.coarse_at < 0 and not narrow and not coarse_is_exact((known + table.LOW) / table.scale):
                self._begin_coarse()
        exact = table.exact.take(places)
        self._mark(table.hashes[found], len(found))
        np.add.at(self.exact_counts, table.exact[found], counted)
        self.room.write(exact, self.exact_at + 2 * self.done)
        if self.coarse_at >= 0:
            np.add.at(self.coarse_counts, table.coarse[found], counted)
            self.room.write(table.coarse.take(places), self.coarse_at + 2 * self.done)
        self._vote(len(places), numeric=True)
        self.done += len(places)

    def _add_texts(self, part: pa.DictionaryArray) -> None:
        values: list[str | None] = part.dictionary.to_pylist()
        fresh = [value for value in values if value not in self._texts]
        if len(self._texts) + len(fresh) > KEPT_TEXTS:
            self._texts, self._text_exact, self._text_coarse, fresh = {}, [], [], values
        if fresh:
            found = fingerprints(pl.Series(fresh, dtype=pl.String), self.key)
            start = len(self._texts)
            self._texts |= {value: start + place for place, value in enumerate(fresh)}
            self._text_exact.append(found.exact)
            self._text_coarse.append(found.coarse)
            self._vote(len(fresh), numeric=found.numeric)
        places = np.array([self._texts[value] for value in values], dtype=np.int64)
        none = np.zeros(1, dtype=np.uint64)
        exact = np.concatenate([*self._text_exact, none])
        coarse = np.concatenate([*self._text_coarse, none])
        self._text_exact, self._text_coarse = [exact[:-1]], [coarse[:-1]]
        codes = part.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
        rows = np.append(places, len(exact) - 1)[codes]
        same = self.coarse_at < 0 and bool((exact == coarse).all())
        self._put_hashes(exact[rows], None if same else coarse[rows])

    def _begin_coarse(self) -> None:
        """From here on three digits differ from twelve; they were the same in all rows so far."""
        self.coarse_at = self.room.take(2 * self.rows)
        self.room.copy(self.exact_at, 2 * self.done, self.coarse_at)
        self.coarse_counts = self.exact_counts.copy()

    def _put_hashes(self, exact: Hashes, coarse: Hashes | None) -> None:
        prints = short(exact)
        self._put_prints(exact, prints, None if coarse is None else short(coarse))

    def _put_prints(self, hashes: Hashes, exact: Prints, coarse: Prints | None) -> None:
        if coarse is not None and self.coarse_at < 0:
            self._begin_coarse()
        self._mark(hashes, len(np.unique(exact)) if self.done == 0 else 0)
        self.exact_counts += np.bincount(exact, minlength=BINS)
        self.room.write(exact, self.exact_at + 2 * self.done)
        if self.coarse_at >= 0:
            other = exact if coarse is None else coarse
            self.coarse_counts += np.bincount(other, minlength=BINS)
            self.room.write(other, self.coarse_at + 2 * self.done)
        self.done += len(exact)

    def _vote(self, weight: int, *, numeric: bool) -> None:
        self.votes += weight
        self.numeric_votes += weight * numeric

    def _mark(self, hashes: Hashes, different: int) -> None:
        """Notes the longer hashes, where the first part has many different ones or a second look is taken for them."""
        if self.done == 0 and (self.bitmap_wanted or different > MANY // 4):
            self.flags = self.tables.flags(self.bits)
        if self.flags is not None:
            known = hashes if bool(hashes.all()) else hashes[hashes != 0]
            self.flags[(known >> np.uint64(64 - self.bits)).view(np.int64)] = 1

    def entry(self) -> dict[str, Any] | None:
        """Writes what is counted and says where everything is; None when a bitmap is wanted that was not begun."""
        if self.done != self.rows:
            raise Refused(f"The column {self.name!r} ends after {self.done} of {self.rows} rows; the file is damaged.")
        at = {"exact": self.exact_at}
        distinct = int((self.exact_counts[1:] > 0).sum())
        many = distinct > MANY
        if many and self.flags is None:
            return None
        if many and self.flags is not None:
            fill = np.count_nonzero(self.flags) / len(self.flags)
            distinct = int(-np.log1p(-min(fill, 0.999999)) * len(self.flags))  # linear counting
            at["bitmap"] = self._place(np.packbits(self.flags))
        at["exact_counts"] = self._place(self.exact_counts.astype(np.uint32))
        if self.coarse_at >= 0:
            at["coarse"] = self.coarse_at
            at["coarse_counts"] = self._place(self.coarse_counts.astype(np.uint32))
        extremes = {name: self._extreme(one) for name, one in (("lowest", self.lowest), ("highest", self.highest))}
        numeric = 2 * self.numeric_votes > self.votes
        return {"name": self.name, "numeric": numeric, "bits": self.bits if many else 0, "distinct": distinct, "at": at,
                "extremes": extremes if self.lowest else {}}  # fmt: skip

    def _place(self, array: npt.NDArray[Any]) -> int:
        place = self.room.take(array.nbytes)
        self.room.write(array, place)
        return place

    def _extreme(self, extreme: Extreme | None) -> list[int]:
        """Its hashes to twelve and to three digits, never the value itself, and how many rows hold it."""
        if extreme is None:
            return []
        value = np.array([extreme.value])
        exact, coarse = canonical_numbers(value), round_significant(value, COARSE_DIGITS)
        return [int(hash_numbers(exact, self.key)[0]), int(hash_numbers(coarse, self.key)[0]), extreme.rows]


def build_column(path: Path, name: str, rows: int, tables: Tables, room: Room) -> dict[str, Any]:
    """Writes the column of the Parquet file into `room`; returns its entry of the index. Raises Refused."""
    for bitmap_wanted in (False, True):
        building = ColumnBuild(name, rows, tables.key, tables, room, bitmap_wanted)
        try:
            with pyarrow.parquet.ParquetFile(path, read_dictionary=[name]) as opened:
                for batch in opened.iter_batches(PART, columns=[name], use_threads=False):
                    if batch.num_rows:
                        building.add(batch.column(name))
        except (pa.ArrowException, KeyError, OSError) as error:
            raise Refused(f"The column {name!r} cannot be read, so the data cannot be indexed: {error}") from error
        entry = building.entry()
        if building.flags is not None:
            tables.give_back(building.flags)
        if entry is not None:
            return entry
    raise AssertionError("a bitmap that was begun is always kept")
