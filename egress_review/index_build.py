"""Builds one column of an index, a part of the file at a time: what is in hand stays in the processor's cache.

Small whole numbers, decimals and days are looked up in a table of their hashes, text is hashed once a distinct value where
the file has a dictionary, and everything else by arithmetic on whole arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from egress_review.errors import Refused
from egress_review.index_columns import fingerprints
from egress_review.index_ends import Ends
from egress_review.index_numbers import (
    COARSE_DIGITS,
    Floats,
    Hashes,
    Ints,
    Key,
    Prints,
    canonical_numbers,
    coarse_is_exact,
    hash_numbers,
    round_significant,
    short,
)
from egress_review.index_read import SourceFile, is_text
from egress_review.index_room import Room
from egress_review.index_tables import SmallNumbers, Tables

BINS = 1 << 16
MANY = 12_000  # fingerprints in use from which a bitmap of longer hashes is worth its room
PART = 1 << 17  # rows at a time
SCALES = (1, 10, 100)


@dataclass
class _Numbered:
    """The dictionary of texts of a part, and their hashes; the last is an empty cell's."""

    texts: pa.Array
    hashes: Hashes
    exact: Prints
    coarse: Prints | None


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
    flags: npt.NDArray[np.bool_] | None = None
    ends: Ends = field(default_factory=Ends)
    votes: int = 0
    numeric_votes: int = 0
    exact_counts: Ints = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    coarse_counts: Ints = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    _numbered: _Numbered | None = None  # of the part before

    def __post_init__(self) -> None:
        self.exact_at = self.room.take(2 * self.rows)
        self.bits = int(np.clip(np.ceil(np.log2(max(2, self.rows * 6))), 17, 26))
        self._plain_counts = np.zeros(len(self.tables.plain.coarse), dtype=np.int64)

    def add(self, part: pl.Series | pa.Array) -> None:
        """Adds the next rows."""
        if isinstance(part, pa.DictionaryArray) and is_text(part.type.value_type):
            self._add_dictionary(part)
            return
        series = part if isinstance(part, pl.Series) else self._series(part)
        if series.dtype == pl.Boolean and not series.null_count():
            series = series.cast(pl.UInt8)
        if series.dtype.is_integer() and not series.null_count():
            self._add_integers(series.to_numpy())
        elif series.dtype.is_numeric() or series.dtype == pl.Boolean:
            floats = series.cast(pl.Float64, strict=False)
            self._add_numbers((floats.fill_null(float("nan")) if floats.null_count() else floats).to_numpy())
        elif series.dtype != pl.Date or not self._add_days(series):
            found = fingerprints(series, self.key, distinct=True)
            self._vote(len(part), numeric=found.numeric)
            self._put_hashes(found.exact, None if found.same else short(found.coarse))

    def _series(self, part: pa.Array) -> pl.Series:
        series = pl.from_arrow(part)
        if not isinstance(series, pl.Series):
            raise Refused(f"The column {self.name!r} cannot be read as one column, so the data cannot be indexed.")
        return series

    def _add_integers(self, values: npt.NDArray[Any]) -> None:
        low, high = int(values.min()), int(values.max())
        if low >= SmallNumbers.LOW and high < SmallNumbers.HIGH:
            places = values.astype(np.int64)
            places -= low
            self._put_numbers(self.tables.of(1), places, low - SmallNumbers.LOW)
        else:
            self._add_floats(values.astype(np.float64), whole=True)

    def _add_numbers(self, values: Floats) -> None:
        for scale in SCALES:
            table = self.tables.of(scale)
            places = table.places(values)
            if places is not None:
                first = int(places.min())
                places -= first
                self._put_numbers(table, places, first)
                return
        self._add_floats(values, whole=False)

    def _add_days(self, series: pl.Series) -> bool:
        """Whether all days are of usual centuries, and so are added."""
        table = self.tables.days
        days = _integers(series.to_physical(), table.HIGH)
        low, high = int(days.min()), int(days.max())
        if low < table.LOW or high > table.HIGH:
            return False
        if high == table.HIGH and np.count_nonzero(days == high) != series.null_count():
            return False  # that day stands for what is missing, and here it is a day too
        first = low - table.LOW
        places: Ints = days.astype(np.int64)
        places -= low
        counted = np.bincount(places)
        table.learn(np.flatnonzero(counted) + first)
        here = slice(first, first + len(counted))
        self._vote(len(days), numeric=False)
        self._put_looked_up(places, table.hashes[here], table.exact[here], None, counted)
        return True

    def _add_floats(self, values: Floats, *, whole: bool) -> None:
        """Numbers of all sizes; `whole` when they are integers."""
        missing = np.isnan(values.min())  # one that is missing makes the least so
        known = values[~np.isnan(values)] if missing else values
        if len(known):
            self.ends.meet_all(known)
        self._vote(len(values), numeric=True)
        if not missing and (plain := self.tables.plain.hash(values, whole=whole)):
            hashes, places = plain
            self._put_hashes(hashes, self.tables.plain.coarse.take(places), places)
            return
        exact = hash_numbers(canonical_numbers(values), self.key)
        coarse = None
        if self.coarse_at >= 0 or not coarse_is_exact(values):
            coarse = short(hash_numbers(round_significant(values, COARSE_DIGITS), self.key))
        self._put_hashes(exact, coarse)

    def _add_dictionary(self, part: pa.DictionaryArray) -> None:
        """Texts that the file has numbered: each is hashed once for all parts that share its dictionary."""
        if self._numbered is None or not self._numbered.texts.equals(part.dictionary):
            found = fingerprints(self._series(part.dictionary), self.key, distinct=True)
            self._vote(len(part.dictionary), numeric=found.numeric)
            none = np.zeros(1, dtype=np.uint64)
            exact = np.append(found.exact, none)
            coarse = None if found.same else short(np.append(found.coarse, none))
            self._numbered = _Numbered(part.dictionary, exact, short(exact), coarse)
        held = self._numbered
        places: Ints = _integers(self._series(part.indices), len(part.dictionary)).astype(np.int64)
        counted = np.bincount(places, minlength=len(held.hashes))
        self._put_looked_up(places, held.hashes, held.exact, held.coarse, counted)

    def _put_numbers(self, table: SmallNumbers, places: Ints, first: int) -> None:
        """Rows whose values are all in a table of small numbers: counted by value, hashed by looking up."""
        counted = np.bincount(places)
        used = np.flatnonzero(counted)
        known = used + first
        rows = counted[used]
        if known[-1] == table.NIL:
            known, rows = known[:-1], rows[:-1]
        coarse_differs = False
        if len(known):
            low, high = (int(known[0]) + table.LOW) / table.scale, (int(known[-1]) + table.LOW) / table.scale
            self.ends.meet(low, int(rows[0]), high, int(rows[-1]))
            narrow = table.scale == 1 and low > -1000 and high < 1000
            coarse_differs = not narrow and not coarse_is_exact((known + table.LOW) / table.scale)
        self._vote(len(places), numeric=True)
        here = slice(first, first + len(counted))
        coarse = table.coarse[here] if coarse_differs or self.coarse_at >= 0 else None
        self._put_looked_up(places, table.hashes[here], table.exact[here], coarse, counted)

    def _put_looked_up(
        self, places: Ints, hashes: Hashes, exact: Prints, coarse: Prints | None, counted: npt.NDArray[np.int64]
    ) -> None:
        """Rows whose values stand at `places` of the tables, each place `counted` times."""
        used = np.flatnonzero(counted)
        rows = counted[used]
        if coarse is not None and self.coarse_at < 0:
            self._begin_coarse()
        self._mark(hashes[used], len(used))
        np.add.at(self.exact_counts, exact[used], rows)
        prints = exact.take(places)
        self.room.write(prints, self.exact_at + 2 * self.done)
        if self.coarse_at >= 0:
            np.add.at(self.coarse_counts, (exact if coarse is None else coarse)[used], rows)
            self.room.write(prints if coarse is None else coarse.take(places), self.coarse_at + 2 * self.done)
        self.done += len(places)

    def _put_hashes(self, hashes: Hashes, coarse: Prints | None, places: Ints | None = None) -> None:
        """Rows with these hashes; `places` tell where `coarse` stands in the table of plain numbers, if it does."""
        tops = (hashes >> np.uint64(48)).view(np.int64)
        counted = np.bincount(tops, minlength=BINS)
        prints = tops.astype(np.uint16)
        if counted[0]:  # 0 is kept for an empty cell
            nothing = np.flatnonzero(tops == 0)
            prints[nothing] = hashes[nothing] != 0
            filled = np.count_nonzero(prints[nothing])
            counted[0] -= filled
            counted[1] += filled
        if coarse is not None and self.coarse_at < 0:
            self._begin_coarse()
        self._mark(hashes[hashes != 0] if counted[0] else hashes, int(np.count_nonzero(counted)))
        self.exact_counts += counted
        self.room.write(prints, self.exact_at + 2 * self.done)
        if self.coarse_at >= 0:
            other = prints if coarse is None else coarse
            self.room.write(other, self.coarse_at + 2 * self.done)
            if places is None:
                self.coarse_counts += np.bincount(other, minlength=BINS)
            else:
                self._plain_counts += np.bincount(places, minlength=len(self._plain_counts))
        self.done += len(hashes)

    def _begin_coarse(self) -> None:
        """From here on three digits differ from twelve; they were the same in all rows so far."""
        self.coarse_at = self.room.take(2 * self.rows)
        self.room.copy(self.exact_at, 2 * self.done, self.coarse_at)
        self.coarse_counts = self.exact_counts.copy()

    def _vote(self, weight: int, *, numeric: bool) -> None:
        self.votes += weight
        self.numeric_votes += weight * numeric

    def _mark(self, hashes: Hashes, different: int) -> None:
        """Notes the longer hashes, where the first part has many different ones or a second look is taken for them."""
        if self.done == 0 and (self.bitmap_wanted or different > MANY // 4):
            self.flags = self.tables.flags(self.bits)
        if self.flags is not None:
            self.flags[(hashes >> np.uint64(64 - self.bits)).view(np.int64)] = True

    def entry(self) -> dict[str, Any] | None:
        """Writes what is counted and says where everything is; None when a bitmap is wanted that was not begun."""
        if self.done != self.rows:
            raise Refused(f"The column {self.name!r} ends after {self.done} of {self.rows} rows; the file is damaged.")
        at = {"exact": self.exact_at}
        np.add.at(self.coarse_counts, self.tables.plain.coarse, self._plain_counts)
        distinct = int((self.exact_counts[1:] > 0).sum())
        many = distinct > MANY
        if many and self.flags is None:
            return None
        if many and self.flags is not None:
            packed = np.packbits(self.flags)
            fill = int(np.bitwise_count(packed).sum()) / len(self.flags)
            distinct = int(-np.log1p(-min(fill, 0.999999)) * len(self.flags))  # linear counting
            at["bitmap"] = self._place(packed)
        at["exact_counts"] = self._place(self.exact_counts.astype(np.uint32))
        if self.coarse_at >= 0:
            at["coarse"] = self.coarse_at
            at["coarse_counts"] = self._place(self.coarse_counts.astype(np.uint32))
        numeric = 2 * self.numeric_votes > self.votes
        return {"name": self.name, "numeric": numeric, "bits": self.bits if many else 0, "distinct": distinct, "at": at,
                "extremes": self.ends.hashed(self.key)}  # fmt: skip

    def _place(self, array: npt.NDArray[Any]) -> int:
        place = self.room.take(array.nbytes)
        self.room.write(array, place)
        return place


def _integers(series: pl.Series, missing: int) -> npt.NDArray[Any]:
    """Whole numbers, with `missing` for those that are; expressions of polars cost more than a part of small numbers."""
    return (series.fill_null(missing) if series.null_count() else series).to_numpy()


def build_column(source: SourceFile, name: str, tables: Tables, room: Room) -> dict[str, Any]:
    """Writes the column of the Parquet file into `room`; returns its entry of the index. Raises Refused."""
    for bitmap_wanted in (False, True):
        building = ColumnBuild(name, source.rows, tables.key, tables, room, bitmap_wanted)
        try:
            for part in source.parts(name, PART):
                building.add(part)
        except (pa.ArrowException, pl.exceptions.PolarsError, KeyError, OSError) as error:
            raise Refused(f"The column {name!r} cannot be read, so the data cannot be indexed: {error}") from error
        entry = building.entry()
        if building.flags is not None:
            tables.give_back(building.flags)
        if entry is not None:
            return entry
    raise AssertionError("a bitmap that was begun is always kept")
