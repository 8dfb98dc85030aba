"""How far people stand out: sizes of the groups that agree in all quasi-identifiers (k-anonymity; Sweeney 2002).

Rows are counted by a keyed 64-bit hash of their values, in as many passes as keep the memory bounded, so that a hundred
million different rows need no more of it than ten million. Two groups would have to share a hash to be taken for one.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.parquet as pq

from access_control.readers import read_parquet

PASS_ROWS = 24_000_000  # hashes held at once: 8 bytes each, and as much again while they are sorted
THRESHOLDS = (2, 3, 5, 10, 20)

Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sizes:
    """Groups of a table: how many there are, the smallest, and how many rows are in groups below each threshold."""

    rows: int
    groups: int
    smallest: int
    rows_below: dict[int, int]

    @property
    def unique(self) -> int:
        """Rows that are alone in their group."""
        return self.rows_below[2]


class _Counter:
    """Reads one file's columns as hashes, one part of the hashes a pass."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path = path
        self._columns = list(columns)
        self._seed = secrets.randbits(63)
        self.rows: int = pq.read_metadata(path).num_rows
        self.parts = max(1, -(-self.rows // PASS_ROWS))

    def batches(self) -> Iterator[Hashes]:
        with read_parquet(self._path, lambda _share: None, self._columns) as reading:
            for batch in reading.batches:
                frame = pl.DataFrame(pl.from_arrow(batch))
                yield frame.hash_rows(self._seed).to_numpy()

    def of_part(self, part: int) -> Hashes:
        found = [hashes[hashes % np.uint64(self.parts) == part] for hashes in self.batches()]
        return np.concatenate(found) if found else np.zeros(0, np.uint64)


def _runs(hashes: Hashes) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Each different hash and how often it occurs; sorts in place."""
    hashes.sort()
    starts = np.flatnonzero(np.concatenate(([True], hashes[1:] != hashes[:-1])))
    return hashes[starts], np.diff(np.concatenate((starts, [len(hashes)])))


def sizes(path: Path, columns: Sequence[str], thresholds: Sequence[int] = THRESHOLDS) -> Sizes:
    """The groups of a Parquet file's rows by `columns`; without columns or rows there is one group of all, or none."""
    wanted = sorted({2, *thresholds})
    total = pq.read_metadata(path).num_rows
    if not total or not columns:
        return Sizes(total, min(total, 1), total, {k: total if total < k else 0 for k in wanted})
    counter = _Counter(path, columns)
    groups, smallest = 0, total
    below = dict.fromkeys(wanted, 0)
    for part in range(counter.parts):
        hashes = counter.of_part(part)
        if not len(hashes):
            continue
        _, counts = _runs(hashes)
        groups += len(counts)
        smallest = min(smallest, int(counts.min()))
        for k in wanted:
            below[k] += int(counts[counts < k].sum())
    return Sizes(total, groups, smallest, below)


def in_small_groups(path: Path, columns: Sequence[str], below: int) -> Mask:
    """For each row of a Parquet file, whether its group by `columns` has fewer than `below` rows (a byte a row)."""
    counter = _Counter(path, columns)
    small = np.zeros(counter.rows, dtype=np.bool_)
    for part in range(counter.parts):
        hashes = counter.of_part(part)
        if not len(hashes):
            continue
        values, counts = _runs(hashes)
        wanted = values[counts < below]
        del hashes, values, counts
        at = 0
        for batch in counter.batches():
            if len(wanted):
                places = np.minimum(np.searchsorted(wanted, batch), len(wanted) - 1)
                small[at : at + len(batch)] |= wanted[places] == batch
            at += len(batch)
    return small


def report(path: Path, quasi_identifiers: Sequence[str]) -> dict[str, Any]:
    """The report for the steward: all quasi-identifiers together, each alone, and all but each one.

    Shares are of the rows, 0 to 1. `without` shows which column makes people stand out most. The report says how rare
    combinations are and is itself never shown to researchers.
    """
    together = sizes(path, quasi_identifiers)
    names = list(quasi_identifiers)
    return {
        "quasi_identifiers": names,
        **_as_dict(together),
        "alone": [{"column": name, **_as_dict(sizes(path, [name]))} for name in names],
        "without": [
            {"column": name, **_as_dict(sizes(path, [other for other in names if other != name]))}
            for name in (names if len(names) > 1 else [])
        ],
    }


def _as_dict(found: Sizes) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "groups": found.groups,
        "smallest_group": found.smallest,
        "unique_rows": found.unique,
        "unique_share": round(found.unique / found.rows, 6) if found.rows else 0.0,
        "rows_below": {str(k): rows for k, rows in found.rows_below.items()},
    }
