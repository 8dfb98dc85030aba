"""Reads a Parquet file a column at a time and of that a part at a time, in the way that is cheapest for its type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet

AT_ONCE = 2_000_000  # rows that are unpacked together; of a file with larger groups of rows, a part at a time
BYTES = 4 << 20  # of other columns that are unpacked together, about
FEW = 200_000  # rows that are not worth the start of another reader


@dataclass(frozen=True)
class SourceFile:
    """A Parquet file whose description was read, once for all columns."""

    path: Path
    metadata: Any
    schema: pa.Schema
    groups: tuple[int, ...]  # rows of each group
    places: dict[str, list[int]]  # of each column, in the description; nested columns have several

    @classmethod
    def of(cls, path: Path) -> SourceFile:
        """Reads the description; raises what pyarrow raises when there is none."""
        with pyarrow.parquet.ParquetFile(path) as opened:
            metadata, schema = opened.metadata, opened.schema_arrow
        groups = tuple(metadata.row_group(place).num_rows for place in range(metadata.num_row_groups))
        places: dict[str, list[int]] = {name: [] for name in schema.names}
        for place in range(metadata.num_columns):
            name = metadata.schema.column(place).path
            places.get(name, places.get(name.split(".", 1)[0], [])).append(place)
        return cls(path, metadata, schema, groups, places)

    def size(self, name: str, group: int = 0) -> int:
        """Unpacked bytes of a column in a group of rows."""
        if group >= len(self.groups):
            return 0
        described = self.metadata.row_group(group)
        return sum(int(described.column(place).total_uncompressed_size) for place in self.places[name])

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self.metadata.num_rows)

    def parts(self, name: str, rows: int) -> Iterator[pl.Series | pa.Array]:
        """The column in parts of `rows` rows: plain types as series, texts that the file has numbered as dictionaries.

        Raises what pyarrow and polars raise when the file cannot be read.
        """
        kind = self.schema.field(name).type
        plain = pa.types.is_integer(kind) or kind in (pa.float32(), pa.float64(), pa.bool_(), pa.date32())
        if plain and self.rows > FEW and max(self.groups) <= AT_ONCE:
            yield from self._by_polars(name, rows)
            return
        # Texts that take so little room must have a dictionary in the file.
        numbered = [name] if is_text(kind) and self.size(name) < 6 * max(self.groups[:1], default=0) else []
        # Long texts are taken fewer at a time.
        longest = max((self.size(name, group) / count for group, count in enumerate(self.groups) if count), default=0)
        rows = max(1, min(rows, int(BYTES / max(longest, 1))))
        with pyarrow.parquet.ParquetFile(self.path, metadata=self.metadata, read_dictionary=numbered) as opened:
            for batch in opened.iter_batches(rows, columns=[name], use_threads=False):
                if batch.num_rows:
                    yield batch.column(name)

    def _by_polars(self, name: str, rows: int) -> Iterator[pl.Series]:
        # Polars unpacks plain types in two thirds of the time; a selector, as `col` would take some names for patterns.
        column = pl.scan_parquet(self.path, glob=False, hive_partitioning=False).select(cs.by_name(name))
        start = count = 0
        for place, size in enumerate(self.groups):
            count += size
            if place + 1 < len(self.groups) and count + self.groups[place + 1] <= AT_ONCE:
                continue
            series = column.slice(start, count).collect().to_series()
            for at in range(0, len(series), rows):
                yield series.slice(at, rows)
            start, count = start + count, 0


def is_text(kind: pa.DataType) -> bool:
    """Whether it is one of Arrow's types of text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
