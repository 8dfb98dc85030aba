"""A table: plain columns of text or of their file's own type, with a view of them as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
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
    text = _STARS.sub("", text.strip().lstrip("*")).strip()  # Markdown sets numbers in bold between stars
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
    if header is None and _titled(rows):
        where, rows = f"{where}, {str(rows[0][0]).strip()[:60]}".lstrip(", "), rows[1:]
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
    while header and _spanned(names, body):
        names, body = _stacked(names, body[0]), body[1:]
    columns = [pl.Series(f"c{i}", [row[i] for row in body], dtype=pl.String) for i in range(width)]
    return Table(where, names, columns) if body else None


def _titled(rows: list[list[Any]]) -> bool:
    """Whether the first row is a title alone, above a row of names."""
    if len(rows) < 3:
        return False
    first, second = ([str(cell) for cell in row if cell not in (None, "")] for row in rows[:2])
    return (
        len(first) == 1 < len(second)
        and rows[0][0] == first[0]
        and not any(_loose(cell) is not None for cell in (*first, *second))
    )


def _spanned(names: list[str], body: list[list[str | None]]) -> bool:
    """Whether the first row below the header names columns too: `Male, , Female, ` above `Yes, No, Yes, No`."""
    if len(body) < 2 or not any(not name or name == before for before, name in pairwise(names[1:])):
        return False
    first, second = ([cell for cell in row[1:] if cell] for row in body[:2])
    return (
        len(first) == len(body[0]) - 1 > 1
        and all(_loose(cell) is None and any(letter.isalpha() or letter in "%#" for letter in cell) for cell in first)
        and any(_loose(cell) is not None for cell in second)
    )


def _stacked(names: list[str], below: list[str | None]) -> list[str]:
    found, last = [names[0] or below[0] or ""], ""
    for name, under in zip(names[1:], below[1:], strict=True):
        last = name or last
        found.append("/".join(part for part in (last, under) if part))
    return found


def side_by_side(rows: list[list[str]]) -> list[list[list[str]]]:
    """A block of rows cut at its empty columns where each part reads as a table of its own, with labels in front."""
    width = max((len(row) for row in rows), default=0)
    empty = [all(len(row) <= place or not row[place].strip() for row in rows) for place in range(width)]
    edges = [place for place in range(width) if not empty[place] and (place == 0 or empty[place - 1])]
    parts = [[row[start : (*edges[1:], width)[at]] for row in rows] for at, start in enumerate(edges)]
    labelled = [sum(bool(row and row[0].strip()) and _loose(row[0]) is None for row in part[1:]) for part in parts]
    two_wide = [max(sum(bool(cell.strip()) for cell in row) for row in part) > 1 for part in parts]
    if len(parts) < 2 or not all(two_wide) or not all(2 * found >= len(rows) - 1 > 0 for found in labelled):
        return [rows]
    return parts


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
            try:
                series = series.cast(pl.String, strict=False)  # noqa: PLW2901
            except pl.exceptions.PanicException as error:  # a day beyond the calendar
                raise ValueError(f"the column {series.name!r} cannot be read: {error}") from error
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
