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
FEW = 200_000  # rows that are not worth the start of another reader


@dataclass(frozen=True)
class SourceFile:
    """A Parquet file whose description was read, once for all columns."""

    path: Path
    metadata: Any
    schema: pa.Schema
    groups: tuple[int, ...]  # rows of each group
    sizes: dict[str, int]  # unpacked bytes of each column in the first group

    @classmethod
    def of(cls, path: Path) -> SourceFile:
        """Reads the description; raises what pyarrow raises when there is none."""
        with pyarrow.parquet.ParquetFile(path) as opened:
            metadata, schema = opened.metadata, opened.schema_arrow
        groups = tuple(metadata.row_group(place).num_rows for place in range(metadata.num_row_groups))
        sizes = dict.fromkeys(schema.names, 0)
        first = metadata.row_group(0) if groups else None
        for part in (first.column(place) for place in range(first.num_columns)) if first else ():
            name = part.path_in_schema if part.path_in_schema in sizes else part.path_in_schema.split(".", 1)[0]
            if name in sizes:
                sizes[name] += part.total_uncompressed_size
        return cls(path, metadata, schema, groups, sizes)

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
        numbered = [name] if is_text(kind) and self.sizes[name] < 6 * max(self.groups[:1], default=0) else []
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
