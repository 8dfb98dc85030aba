"""A table: plain columns of text or of their file's own type, with a view of them as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
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
    filled = [[as_cell(row[i]) if i < len(row) else None for i in range(width)] for row in rows]
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


def as_cell(value: Any) -> str | None:
    """A cell as text; None for an empty one, and whole numbers without a point."""
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


def blocks(rows: list[list[str]]) -> list[list[list[str]]]:
    """Several tables in one file stand apart by an empty line."""
    blocks: list[list[list[str]]] = [[]]
    for row in rows:
        if not any(cell.strip() for cell in row):
            if blocks[-1]:
                blocks.append([])
        else:
            blocks[-1].append(row)
    return [block for block in blocks if block]
