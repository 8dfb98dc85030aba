"""Hiding places in Parquet, Feather and Arrow files."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from io import BytesIO

import pyarrow as pa
import pyarrow.compute
import pyarrow.ipc
import pyarrow.parquet

from egress_review.findings import Finding
from egress_review.rules import text
from egress_review.rules.catalogue import Subject, many, rule

METADATA = rule(
    "columnar.metadata",
    "blocks",
    "Key-value metadata",
    source="Parquet and Arrow format: key_value_metadata",
    why="It holds free text that no reader of the table sees.",
    remedy="Write the table as CSV.",
)
STATISTICS = rule(
    "columnar.statistics",
    "warns",
    "Statistics that go beyond the values",
    source="Parquet format: Statistics",
    why="Kept minima and maxima may stem from rows that were taken out.",
    remedy="Write the table as CSV.",
)
CATEGORIES = rule(
    "columnar.categories",
    "blocks",
    "Categories that no row uses",
    source="Observed: a filtered categorical keeps all names",
    why="A dictionary column keeps the names of every person that was filtered out.",
    remedy="Use cat.remove_unused_categories(), or write the table as CSV.",
)
INDEX = rule(
    "columnar.index",
    "warns",
    "A pandas index",
    source="pandas metadata in Arrow schemas",
    why="The index keeps row numbers of the source, which say which people are in the table.",
    remedy="Use reset_index(drop=True).",
)
EXTRA = rule("columnar.extra", "blocks", "Bytes beside the table", source="Observed", why="Bytes that the table does not use are seen by nobody.",
    remedy="Write the table as CSV.")  # fmt: skip


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in a columnar file."""
    if subject.kind not in ("parquet", "feather"):
        return
    try:
        if subject.kind == "parquet":
            yield from _parquet(subject)
            schema = pyarrow.parquet.read_schema(BytesIO(subject.data))
            table = pyarrow.parquet.read_table(BytesIO(subject.data), use_threads=False)
        else:
            reader = pa.ipc.open_file(BytesIO(subject.data))
            if getattr(reader, "metadata", None):
                yield METADATA.found(subject.name, "The file's footer holds metadata.")
            schema, table = reader.schema, reader.read_all()
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise ValueError(f"the table cannot be read: {error}") from error
    yield from _schema(subject.name, schema)
    yield from _names(subject.name, table.column_names)
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            for chunk in column.chunks:
                used = {value for value in chunk.indices.to_pylist() if value is not None}
                if len(chunk.dictionary) > len(used):
                    yield CATEGORIES.found(
                        f"column {name}",
                        f"{many(len(chunk.dictionary) - len(used), 'category is', 'categories are')} in no row, of {len(chunk.dictionary)}.",
                    )
                    break


def _names(where: str, names: list[str]) -> Iterator[Finding]:
    """The names of the columns; a table without rows has them too, and no other rule reads those."""
    for name in names:
        if any(unicodedata.category(character)[0] == "C" for character in name):
            yield text.CONTROL.found(f"column {name!r}", "The name has characters that cannot be seen.")
    yield from text.encoded_runs(f"{where}, names of columns", "\n".join(names))


def _schema(where: str, schema: pa.Schema) -> Iterator[Finding]:
    for key, value in (schema.metadata or {}).items():
        if key == b"pandas":
            yield from _pandas(where, value)
        elif key != b"ARROW:schema":
            yield METADATA.found(where, f"Metadata {key[:40]!r} of {len(value)} bytes.")
    for field in schema:
        odd = [key for key in (field.metadata or {}) if key != b"PARQUET:field_id"]
        if odd:
            yield METADATA.found(f"column {field.name}", f"Metadata {odd[0][:40]!r} on the column.")


def _pandas(where: str, written: bytes) -> Iterator[Finding]:
    try:
        described = json.loads(written)
    except (ValueError, RecursionError):
        described = None
    indexes = described.get("index_columns", []) if isinstance(described, dict) else None
    columns = described.get("columns", []) if isinstance(described, dict) else None
    if not isinstance(described, dict) or not isinstance(indexes, list) or not isinstance(columns, list):
        yield METADATA.found(where, "The pandas metadata is none that pandas writes.")
        return
    usual = set(described) <= {
        "index_columns",
        "column_indexes",
        "columns",
        "creator",
        "pandas_version",
        "partition_columns",
        "attributes",
    }
    if not usual or described.get("attributes") or len(written) > 2000 + 400 * len(columns):
        yield METADATA.found(where, "The pandas metadata holds more than it needs.")
    for index in indexes:
        if isinstance(index, str) and index.startswith("__index_level"):
            yield INDEX.found(where, "The table keeps the row numbers of the data frame that it was cut from.")
        elif isinstance(index, dict) and index.get("start", 0) not in (0, None):
            yield INDEX.found(
                where, f"The rows are numbered from {index.get('start')}: they were cut from a larger frame."
            )
    for column in columns:
        categories = (column.get("metadata") or {}) if isinstance(column, dict) else {}
        if isinstance(categories, dict) and set(categories) - {
            "num_categories",
            "ordered",
            "timezone",
            "unit",
            "encoding",
            "precision",
            "scale",
        }:
            yield METADATA.found(where, f"The pandas metadata of column {column.get('name')} is not usual.")


def _parquet(subject: Subject) -> Iterator[Finding]:
    file = pyarrow.parquet.ParquetFile(BytesIO(subject.data))
    meta = file.metadata
    usual_keys = {b"pandas", b"ARROW:schema"}
    for key, value in (meta.metadata or {}).items():
        if key not in usual_keys:
            yield METADATA.found(subject.name, f"Metadata {key[:40]!r} of {len(value)} bytes.")
    used = 0
    for group in range(meta.num_row_groups):
        values = file.read_row_group(group)
        for place in range(meta.num_columns):
            column = meta.row_group(group).column(place)
            used += column.total_compressed_size
            statistics = column.statistics
            if statistics is None or not statistics.has_min_max or "." in column.path_in_schema:
                continue
            try:
                exact = pa.compute.min_max(values.column(column.path_in_schema)).as_py()
                differs = (
                    exact["min"] is not None
                    and type(exact["min"]) is type(statistics.min)
                    and (statistics.min != exact["min"] or statistics.max != exact["max"])
                )
            except (pa.ArrowException, KeyError):
                continue
            if differs:
                yield STATISTICS.found(
                    f"column {column.path_in_schema}",
                    "The kept minimum or maximum is not that of the rows.",
                    severity="blocks",
                )
    footer = meta.serialized_size
    indexes = 4096 * max(1, meta.num_row_groups * meta.num_columns)
    if len(subject.data) - used - footer - 12 > indexes:
        yield EXTRA.found(
            subject.name,
            f"{many(len(subject.data) - used - footer - 12, 'byte belongs', 'bytes belong')} to no column.",
        )
