"""Reads one column of a Parquet file, a part at a time, in the way that is cheapest for its type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet

AT_ONCE = 2_000_000  # rows that are unpacked together; of a file with larger groups of rows, a part at a time


def column_parts(path: Path, name: str, rows: int) -> Iterator[pl.Series | pa.Array]:
    """The column in parts of `rows` rows: numbers and days as series, texts that the file has numbered as dictionaries.

    Raises what pyarrow and polars raise when the file cannot be read.
    """
    with pyarrow.parquet.ParquetFile(path) as opened:
        metadata, kind = opened.metadata, opened.schema_arrow.field(name).type
    groups = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
    plain = pa.types.is_integer(kind) or kind in (pa.float32(), pa.float64(), pa.bool_(), pa.date32())
    if plain and max(groups, default=0) <= AT_ONCE:
        yield from _by_polars(path, name, rows, groups)
        return
    numbered = [name] if is_text(kind) and _numbered(metadata, name) else []
    with pyarrow.parquet.ParquetFile(path, metadata=metadata, read_dictionary=numbered) as opened:
        for batch in opened.iter_batches(rows, columns=[name], use_threads=False):
            if batch.num_rows:
                yield batch.column(name)


def is_text(kind: pa.DataType) -> bool:
    """Whether it is one of Arrow's types of text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _by_polars(path: Path, name: str, rows: int, groups: list[int]) -> Iterator[pl.Series]:
    # Polars unpacks plain types in two thirds of the time; by a selector, as `col` would take some names for patterns.
    column = pl.scan_parquet(path, glob=False, hive_partitioning=False).select(cs.by_name(name))
    start = count = 0
    for place, size in enumerate(groups):
        count += size
        if place + 1 < len(groups) and count + groups[place + 1] <= AT_ONCE:
            continue
        series = column.slice(start, count).collect().to_series()
        for at in range(0, len(series), rows):
            yield series.slice(at, rows)
        start, count = start + count, 0


def _numbered(metadata: Any, name: str) -> bool:
    """Whether the texts of this column take so little room that the file must have them in a dictionary."""
    if not metadata.num_row_groups:
        return False
    group = metadata.row_group(0)
    parts = (group.column(place) for place in range(group.num_columns))
    return any(p.path_in_schema == name and p.total_uncompressed_size < 6 * p.num_values for p in parts)
