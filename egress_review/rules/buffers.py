"""What the memory of a columnar file holds beside its values: bytes under nulls, behind the end, in odd patterns of no number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule

BUFFERS = rule(
    "columnar.buffers",
    "blocks",
    "Bytes that no value uses",
    source="Arrow columnar format: validity bitmaps and offsets",
    why="Under a null, behind the last text and in the spare bits of “no number” any bytes can stand.",
    remedy="Write the table as CSV.",
)
TYPES = rule(
    "columnar.types",
    "blocks",
    "Columns of bytes or of nested values",
    source="Observed",
    why="A cell that holds bytes or a structure is a file of its own.",
    remedy="Write the table as CSV, one value a cell.",
)
WRITER = rule("columnar.writer", "blocks", "Names of writers that hold text", source="Parquet format: created_by; pandas metadata",
    why="The fields that name the writing program are free text.", remedy="Write the table as CSV.")  # fmt: skip

_WRITERS = re.compile(
    r"(?:parquet-cpp(?:-arrow)?|parquet-mr|parquet-rs|Polars|polars|DuckDB|fastparquet(?:-python)?|nanoparquet|arrow-rs|pyarrow)[\w .:+/()-]{0,90}"
)


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in the buffers and the small print of a columnar file."""
    if subject.kind not in ("parquet", "feather"):
        return
    try:
        if subject.kind == "parquet":
            file = pyarrow.parquet.ParquetFile(BytesIO(subject.data))
            yield from _footer(subject, file)
            table = file.read(use_threads=False)
        else:
            table = pyarrow.ipc.open_file(pa.BufferReader(subject.data)).read_all()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ValueError(f"the table cannot be read: {error}") from error
    yield from _told(subject.name, table.schema)
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if (
            pa.types.is_nested(kind)
            or pa.types.is_binary(kind)
            or pa.types.is_large_binary(kind)
            or pa.types.is_fixed_size_binary(kind)
        ):
            yield TYPES.found(f"column {name}"[:80], f"The column holds values of type {str(kind)[:60]}.")
        for chunk in column.chunks:
            reason = _beside(chunk)
            if reason:
                yield BUFFERS.found(f"column {name}"[:80], reason)
                break


def _footer(subject: Subject, file: pyarrow.parquet.ParquetFile) -> Iterator[Finding]:
    meta = file.metadata
    if meta.created_by and not _WRITERS.fullmatch(str(meta.created_by).strip()):
        yield WRITER.found(subject.name, f"The writing program calls itself {str(meta.created_by)[:40]!r}.")
    columns = [
        meta.row_group(group).column(place) for group in range(meta.num_row_groups) for place in range(meta.num_columns)
    ]
    spare = len(subject.data) - sum(column.total_compressed_size for column in columns) - meta.serialized_size - 12
    indexed = any(
        getattr(column, "has_offset_index", False) or getattr(column, "has_column_index", False) for column in columns
    )
    if spare > (4096 * max(1, len(columns)) if indexed else 64):
        yield BUFFERS.found(subject.name, f"{many(spare, 'byte belongs', 'bytes belong')} to no column.")


def _told(where: str, schema: pa.Schema) -> Iterator[Finding]:
    text = (schema.metadata or {}).get(b"pandas")
    if text:
        try:
            described = json.loads(text)
        except (ValueError, RecursionError):
            return  # rules/columnar.py says so
        names = {*schema.names, *(f"__index_level_{i}__" for i in range(9))}
        if any(len(value) > 40 and value not in names for value in _words(described)):
            yield WRITER.found(where, "The pandas metadata hold text of their own.")


def _words(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack += [*item.values(), *item.keys()]
        elif isinstance(item, list):
            stack += item


def _beside(chunk: pa.Array) -> str:
    """What a chunk holds beside its values, in words; nothing where all is in order."""
    kind = chunk.type
    if pa.types.is_dictionary(kind):
        return _beside(chunk.dictionary) or _beside(chunk.indices)
    buffers = chunk.buffers()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        offsets = (
            np.frombuffer(buffers[1], dtype="<i4" if pa.types.is_string(kind) else "<i8")
            if buffers[1] is not None and len(buffers[1])
            else np.zeros(1, dtype="<i4")
        )
        held = len(buffers[2]) if buffers[2] is not None else 0
        window = offsets[chunk.offset : chunk.offset + len(chunk) + 1]
        used = int(window[-1] - window[0]) if len(window) else 0
        if chunk.offset == 0 and held - used > 64 and any(bytes(buffers[2])[used:]):
            return f"{held - used} bytes stand behind the texts of the column."
        nulls = np.asarray(chunk.is_null())
        if len(window) == len(chunk) + 1 and np.diff(window)[nulls].any():
            return "Texts stand under empty cells."
        return ""
    if (
        not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_temporal(kind))
        or len(buffers) < 2
        or buffers[1] is None
    ):
        return ""
    size = kind.bit_width // 8
    raw = np.frombuffer(buffers[1], dtype=np.uint8)
    begin, end = chunk.offset * size, (chunk.offset + len(chunk)) * size
    if chunk.offset == 0 and len(raw) - end > 64 and raw[end:].any():
        return f"{len(raw) - end} bytes stand behind the numbers of the column."
    values = raw[begin:end].reshape(-1, size)
    nulls = np.asarray(chunk.is_null())
    if len(nulls) == len(values) and len(np.unique(values[nulls], axis=0)) > 2:
        return "Different numbers stand under empty cells."
    if pa.types.is_floating(kind) and size in (4, 8):
        missing = np.isnan(values.copy().view(np.float64 if size == 8 else np.float32).ravel())
        if len(np.unique(values[missing & ~nulls], axis=0)) > 2:
            return "Cells that are no number hold different bytes."
    return ""
