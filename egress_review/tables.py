"""The tables in a file, whatever its type: plain columns of text, with a view of them as numbers."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from egress_review import kinds

Floats = npt.NDArray[np.float64]
MAX_TABLES = 200
_THOUSANDS = re.compile(r"(?<=\d)[,\u202f\u00a0 ](?=\d{3}(?:\D|$))")
_STARS = re.compile(r"[*†‡%]+$")


@dataclass
class Table:
    """A table: `columns` are of equal length, text (null for an empty cell) or of their file's own type.

    `where` names its place for a person; `shared_population` tells a table that a program printed, not a data file.
    """

    where: str
    header: list[str]
    columns: list[pl.Series]
    notes: dict[str, Any] = field(default_factory=dict)
    memo: dict[str, Any] = field(default_factory=dict, repr=False)  # what was worked out of it before
    _numbers: dict[int, Floats] = field(default_factory=dict, repr=False)

    @property
    def height(self) -> int:
        """Rows without the header."""
        return len(self.columns[0]) if self.columns else 0

    @property
    def width(self) -> int:
        """Columns."""
        return len(self.columns)

    def texts(self, column: int) -> pl.Series:
        """The column as text, null where empty."""
        series = self.columns[column]
        return series if series.dtype == pl.String else series.cast(pl.String, strict=False)

    def numbers(self, column: int) -> Floats:
        """The column as float64, NaN where a cell is no number; `1,234`, `12 %` and `0.5**` are numbers."""
        if column not in self._numbers:
            self._numbers[column] = _as_numbers(self.columns[column])
        return self._numbers[column]

    def cell(self, row: int, column: int) -> str:
        """One cell as text."""
        value = self.texts(column)[row]
        return "" if value is None else str(value)


def _as_numbers(series: pl.Series) -> Floats:
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return series.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy().astype(np.float64)
    if series.dtype != pl.String:
        return np.full(len(series), np.nan)
    plain = series.str.strip_chars().cast(pl.Float64, strict=False)
    missing = plain.is_null() & series.is_not_null()
    count = int(missing.sum())
    if 0 < count <= 100_000:
        loose = series.filter(missing).map_elements(_loose, return_dtype=pl.Float64)
        values = plain.fill_null(float("nan")).to_numpy().astype(np.float64)
        values[missing.to_numpy()] = loose.fill_null(float("nan")).to_numpy()
        return values
    return plain.fill_null(float("nan")).to_numpy().astype(np.float64)


def _loose(text: str) -> float | None:
    text = _STARS.sub("", text.strip()).strip()
    text = text.replace("\u2212", "-").lstrip("$€£")
    if text[:1] == "(" and text[-1:] == ")":
        text = text[1:-1]
    try:
        return float(_THOUSANDS.sub("", text))
    except ValueError:
        return None


def from_rows(where: str, rows: list[list[Any]], *, header: bool | None = None) -> Table | None:
    """A table from rows of cells, the first of them the header unless it holds numbers; None when nothing is in it."""
    rows = [row for row in rows if any(cell not in (None, "") for cell in row)]
    if not rows:
        return None
    width = max(len(row) for row in rows)
    filled = [[_cell(row[i]) if i < len(row) else None for i in range(width)] for row in rows]
    if header is None:
        header = _is_header(filled)
    names = [cell or "" for cell in filled[0]] if header else [""] * width
    body = filled[1:] if header else filled
    # Two-level headers, as pandas writes them: the second line names the index in its first cell and nothing else.
    if header and len(body) > 1 and body[0][0] and all(not cell for cell in body[0][1:]) and any(body[1][1:]):
        names[0] = names[0] or str(body[0][0])
        body = body[1:]
    columns = [pl.Series(f"c{i}", [row[i] for row in body], dtype=pl.String) for i in range(width)]
    return Table(where, names, columns) if body else None


def _cell(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def _is_header(rows: list[list[str | None]]) -> bool:
    first = [cell for cell in rows[0] if cell]
    if len(rows) == 1:
        return False
    numeric = sum(_loose(cell) is not None for cell in first)
    if numeric == 0:
        return True
    if numeric == len(first) and len(first) == len(rows[0]):
        return False
    # Category values stand in headers of cross tables: then the first cell is a name, or empty.
    below = [cell for cell in rows[1] if cell]
    return not rows[0][0] or _loose(rows[0][0] or "") is None or len(below) > len(first)


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
    decoded = kinds.decode(data)
    if decoded is None:
        return []
    text, encoding = decoded
    separator = separator_of(text)
    if len(data) < 200_000:
        try:
            rows = list(csv.reader(StringIO(text), delimiter=separator))
        except csv.Error:
            rows = [line.split(separator) for line in text.splitlines()]
        found = [from_rows(where, block) for block in _blocks(rows)]
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


def _blocks(rows: list[list[str]]) -> list[list[list[str]]]:
    """Several tables in one file stand apart by an empty line."""
    blocks: list[list[list[str]]] = [[]]
    for row in rows:
        if not any(cell.strip() for cell in row):
            if blocks[-1]:
                blocks.append([])
        else:
            blocks[-1].append(row)
    return [block for block in blocks if block]


def from_frame(where: str, frame: pl.DataFrame) -> list[Table]:
    """A table of a typed frame; nested columns become text."""
    columns = []
    for series in frame.get_columns():
        if series.dtype.is_nested():
            series = pl.Series(series.name, [str(value) for value in series.to_list()], dtype=pl.String)  # noqa: PLW2901
        elif series.dtype in (pl.Categorical, pl.Enum, pl.Binary, pl.Object) or series.dtype.is_temporal():
            series = series.cast(pl.String, strict=False)  # noqa: PLW2901
        columns.append(series)
    return [Table(where, list(frame.columns), columns)] if frame.height and columns else []


def from_json(where: str, value: Any, depth: int = 0) -> list[Table]:
    """Every list of objects, list of lists and object of equal lists below a JSON value."""
    found: list[Table] = []
    if depth > 12 or len(found) > MAX_TABLES:
        return found
    if isinstance(value, list):
        if len(value) > 1 and all(isinstance(item, dict) for item in value):
            names = list(dict.fromkeys(name for item in value[:1000] for name in item))
            if names and not all(isinstance(item.get(name), dict | list) for item in value[:20] for name in names):
                rows = [names] + [[_scalar(item.get(name)) for name in names] for item in value]
                table = from_rows(where, rows, header=True)
                found += [table] if table else []
        elif len(value) > 1 and all(isinstance(item, list) for item in value):
            table = from_rows(where, [[_scalar(cell) for cell in item] for item in value])
            found += [table] if table else []
        elif len(value) > 1 and all(not isinstance(item, dict | list) for item in value):
            table = from_rows(where, [[where.rsplit(".", 1)[-1]]] + [[_scalar(item)] for item in value], header=True)
            found += [table] if table else []
        for place, item in enumerate(value[:2000]):
            if isinstance(item, dict) or (
                isinstance(item, list) and any(isinstance(cell, dict | list) for cell in item)
            ):
                found += from_json(f"{where}[{place}]", item, depth + 1)
            if len(found) > MAX_TABLES:
                break
    elif isinstance(value, dict):
        found += _from_object(where, value, depth)
    return found[:MAX_TABLES]


def _scalar(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value)
    return json.dumps(value) if isinstance(value, dict | list) else value


def _from_object(where: str, value: dict[str, Any], depth: int) -> list[Table]:
    found: list[Table] = []
    inner = list(value.values())
    if (
        len(inner) > 1
        and all(isinstance(item, list) for item in inner)
        and len({len(item) for item in inner}) == 1
        and inner[0]
    ):
        names = list(value)
        rows = [names] + [[_scalar(column[i]) for column in inner] for i in range(len(inner[0]))]
        table = from_rows(where, rows, header=True)
        return [table] if table else []
    if len(inner) > 1 and all(isinstance(item, dict) and item for item in inner):
        keys = list(dict.fromkeys(key for item in inner for key in item))
        if sum(len(item) for item in inner) > 0.8 * len(keys) * len(inner) and not any(
            isinstance(cell, dict | list) for item in inner for cell in item.values()
        ):
            rows = [["", *keys]] + [[name, *[_scalar(item.get(key)) for key in keys]] for name, item in value.items()]
            table = from_rows(where, rows, header=True)
            return [table] if table else []
    scalars = [(name, item) for name, item in value.items() if not isinstance(item, dict | list)]
    if scalars:
        table = from_rows(where, [["name", "value"]] + [[name, _scalar(item)] for name, item in scalars], header=True)
        if table:
            table.notes["pairs"] = True
            found.append(table)
    for name, item in value.items():
        if isinstance(item, dict | list):
            found += from_json(f"{where}.{name}", item, depth + 1)
    return found


def from_html(where: str, markup: str) -> list[Table]:
    """Every <table> of a page, hidden ones too."""
    import lxml.html

    try:
        page = lxml.html.fromstring(markup)
    except (ValueError, lxml.etree.ParserError):
        return []
    found = []
    for place, element in enumerate(list(page.iter("table"))[:MAX_TABLES], 1):
        rows: list[list[Any]] = []
        for line in element.iter("tr"):
            row: list[Any] = []
            for cell in line:
                if cell.tag in ("td", "th"):
                    span = str(cell.get("colspan", "1"))
                    row += [cell.text_content().strip()] + [""] * (min(int(span), 100) - 1 if span.isdigit() else 0)
            rows.append(row)
        table = from_rows(f"{where}, table {place}", rows)
        if table:
            table.notes["printed"] = True
            found.append(table)
    return found


def from_xlsx(where: str, data: bytes) -> list[Table]:
    """Every sheet, hidden ones too; raises ValueError for a workbook that cannot be read."""
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        found = []
        for name in book.sheet_names[:MAX_TABLES]:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=True)
            for block in _blocks([[("" if cell is None else str(_cell(cell) or "")) for cell in row] for row in rows]):
                table = from_rows(f"{where}, sheet {name}".lstrip(", "), [list(row) for row in block])
                found += [table] if table else []
    except (python_calamine.CalamineError, OSError) as error:
        raise ValueError(f"the workbook cannot be read: {error}") from error
    return found


def notebook_outputs(notebook: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """(place, media type, text) of every output of every cell; streams and errors as text/plain."""
    found: list[tuple[str, str, Any]] = []
    for number, cell in enumerate(notebook.get("cells", []), 1):
        if not isinstance(cell, dict):
            continue
        for output in cell.get("outputs", []) or []:
            if not isinstance(output, dict):
                continue
            place = f"cell {number}"
            if "text" in output:
                found.append((place, "text/plain", _joined(output["text"])))
            if "traceback" in output:
                found.append((place, "text/plain", re.sub(r"\x1b\[[0-9;]*m", "", _joined(output["traceback"], "\n"))))
            data = output.get("data", {})
            if isinstance(data, dict):
                found += [
                    (
                        place,
                        str(media),
                        value if isinstance(value, dict | list) and media.endswith("json") else _joined(value),
                    )
                    for media, value in data.items()
                ]
    return found


def _joined(value: Any, glue: str = "") -> str:
    return glue.join(str(part) for part in value) if isinstance(value, list) else str(value)


def from_notebook(notebook: dict[str, Any]) -> list[Table]:
    """Tables of the outputs; of one output its HTML form, or else its text."""
    from egress_review import printed_tables

    found: list[Table] = []
    outputs = notebook_outputs(notebook)
    with_html = {place for place, media, _ in outputs if media == "text/html"}
    for place, media, text in outputs:
        if media == "text/html":
            found += from_html(place, text)
        elif media == "text/plain" and not (place in with_html and "\n" in text and len(text) < 20_000):
            found += printed_tables.tables_in(place, text)
        elif media.endswith("json") and not isinstance(text, str):
            found += from_json(place, text)
    return found[:MAX_TABLES]


def load_json(data: bytes) -> Any:
    """A JSON value, or a list of those of a file of JSON lines; raises ValueError."""
    decoded = kinds.decode(data)
    if decoded is None:
        raise ValueError("it is no text")
    try:
        return json.loads(decoded[0])
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    except ValueError:
        lines = [line for line in decoded[0].splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [json.loads(line) for line in lines]


def extract_bytes(data: bytes, kind: str) -> list[Table]:
    """The tables in these bytes of this kind; raises ValueError when they are broken."""
    from egress_review import pickle_tables, printed_tables

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
        return from_json("", load_json(data))
    if kind == "notebook":
        value = load_json(data)
        return from_notebook(value) if isinstance(value, dict) else []
    if kind in ("html", "svg"):
        decoded = kinds.decode(data)
        return from_html("", decoded[0]) if decoded and kind == "html" else []
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
    except Exception as error:  # pyarrow raises many kinds for broken files
        raise ValueError(f"it cannot be read: {error}") from error
    return frame if isinstance(frame, pl.DataFrame) else frame.to_frame()


def extract(path: Any, kind: str) -> list[Table]:
    """The tables in the file at `path`. Parses untrusted bytes: call it in the sandbox, or on files of our own."""
    from pathlib import Path

    return extract_bytes(Path(path).read_bytes(), kind)
