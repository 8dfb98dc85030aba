"""The tables in a file, whatever its type."""

from __future__ import annotations

import csv
import re
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import polars as pl

from egress_review import json_tables, kinds, page_tables, pickle_tables, printed_tables
from egress_review.json_tables import load_json, load_notebook
from egress_review.page_tables import from_notebook, notebook_outputs
from egress_review.table import Floats, Table, as_cell, blocks, from_frame, from_rows, side_by_side

MAX_TABLES = 200
_COMMA = re.compile(r"^-?\d+,\d+$|^-?\d{1,3}(?:\.\d{3})+,\d+$")
_POINT = re.compile(r"^-?\d+\.(?:\d{1,2}|\d{4,})$")
_EUROPEAN = re.compile(r"^-?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?(?:[eE][-+]?\d+)?$")

__all__ = [  # one place for whoever reads tables
    "Floats",
    "Table",
    "from_frame",
    "from_notebook",
    "from_rows",
    "load_json",
    "load_notebook",
    "notebook_outputs",
]

LARGE = 200_000  # bytes of a delimited file from which it is read as a whole, without looking for several tables


def separator_of(text: str) -> str:
    """The separator of a delimited text, by how evenly it divides the first lines."""
    lines = [line for line in text[:65536].splitlines()[:50] if line.strip() and not line.startswith("#")]
    best, score = ",", 0.0
    for candidate in (",", "\t", ";", "|"):
        counts = [line.count(candidate) for line in lines]
        if (counts and min(counts) > 0) or (counts and sum(counts) > len(counts) * 0.8):
            even = sum(count == counts[0] for count in counts) / len(counts)
            value = even * (1 + min(counts[0], 20) / 100)
            if value > score:
                best, score = candidate, value
    return best


def from_delimited(where: str, data: bytes) -> list[Table]:
    """Tables of a CSV file; a header of one line."""
    # Of a large file only the beginning is wanted as text; decoding all of it takes a seventh as long as reading it.
    plain = len(data) >= LARGE and data.isascii() and b"\x00" not in data
    decoded = (data[:65536].decode(), "utf-8") if plain else kinds.decode(data)
    if decoded is None:
        return []
    text, encoding = decoded
    separator = separator_of(text)
    if len(data) < LARGE:
        try:
            rows = list(csv.reader(StringIO(text), delimiter=separator))
        except csv.Error:
            rows = [line.split(separator) for line in text.splitlines()]
        if separator in ";\t":
            rows = [[_point(cell) for cell in row] for row in rows] if _decimal_commas(rows) else rows
        found = [from_rows(where, part) for block in blocks(rows) for part in side_by_side(block)]
        return [table for table in found if table]
    source = data if encoding == "utf-8" else text.encode()
    options: dict[str, Any] = {"separator": separator, "infer_schema": False, "quote_char": '"', "low_memory": False}
    ragged = False
    try:
        frame = pl.read_csv(source, **options)
    except pl.exceptions.ComputeError:  # a row with more cells than the header
        ragged = True
        frame = pl.read_csv(source, **options, truncate_ragged_lines=True, ignore_errors=True)
    header = [name if not name.startswith("column_") else "" for name in frame.columns]
    notes = {"ragged": True} if ragged else {}
    return [Table(where, header, frame.get_columns(), notes)] if frame.height else []


def _decimal_commas(rows: list[list[str]]) -> bool:
    """Whether numbers are written `1.234,5`, as in much of Europe: a cell says so, and none says otherwise."""
    cells = [cell.strip() for row in rows[:2000] for cell in row]
    return any(_COMMA.match(cell) for cell in cells) and not any(_POINT.match(cell) for cell in cells)


def _point(cell: str) -> str:
    return cell.strip().replace(".", "").replace(",", ".") if _EUROPEAN.match(cell.strip()) else cell


def from_xlsx(where: str, data: bytes) -> list[Table]:
    """Every sheet, hidden ones too; raises ValueError for a workbook that cannot be read."""
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        found = []
        for name in book.sheet_names[:MAX_TABLES]:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=True)
            for block in blocks([[("" if cell is None else str(as_cell(cell) or "")) for cell in row] for row in rows]):
                for part in side_by_side(block):
                    table = from_rows(f"{where}, sheet {name}".lstrip(", "), [list(row) for row in part])
                    found += [table] if table else []
    except (python_calamine.CalamineError, OSError) as error:
        raise ValueError(f"the workbook cannot be read: {error}") from error
    return found


def extract_bytes(data: bytes, kind: str) -> list[Table]:
    """The tables in these bytes of this kind; raises ValueError when they are broken."""
    if kind == "csv":
        return from_delimited("", data)
    if kind in ("pickle", "model") and data[:2] != b"PK":
        return pickle_tables.tables_in(data)
    if kind == "array" and data[:6] == b"\x93NUMPY":
        return pickle_tables.saved_array(data)
    if kind == "text":
        decoded = kinds.decode(data)
        return printed_tables.tables_in("", decoded[0]) if decoded else []
    if kind == "json":
        return json_tables.from_json("", load_json(data))
    if kind == "notebook":
        return from_notebook(load_notebook(data))
    if kind in ("html", "svg"):
        decoded = kinds.decode(data)
        return page_tables.from_html("", decoded[0]) if decoded and kind == "html" else []
    if kind == "xlsx":
        return from_xlsx("", data)
    if kind in ("parquet", "feather"):
        return from_frame("", read_columnar(data, kind))
    return []


def read_columnar(data: bytes, kind: str) -> pl.DataFrame:
    """The values of a Parquet or Feather file; raises ValueError when it cannot be read."""
    try:
        if kind == "parquet":
            import pyarrow.parquet

            table = pyarrow.parquet.read_table(BytesIO(data), use_threads=False)
        else:
            import pyarrow.feather

            table = pyarrow.feather.read_table(BytesIO(data))
        frame = pl.from_arrow(table)
    except (Exception, pl.exceptions.PanicException) as error:  # both raise many kinds for broken files
        raise ValueError(f"it cannot be read: {error}") from error
    return frame if isinstance(frame, pl.DataFrame) else frame.to_frame()


def extract(path: Any, kind: str) -> list[Table]:
    """The tables in the file at `path`. Parses untrusted bytes: call it in the sandbox, or on files of our own."""
    return extract_bytes(Path(path).read_bytes(), kind)
