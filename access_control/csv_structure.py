"""The structure of a CSV file, checked beside the reader: what a lenient reader would pass over in silence.

`Scan` looks at the raw bytes with numpy at a fraction of the reader's cost and only says that something is suspicious;
`find_fault` then reads the file again, strictly and slowly, and names the line.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from access_control.errors import Invalid

_BLOCK = 4 << 20
_LONGEST_FIELD = 16 << 20
_QUOTE, _LF, _CR = b'"'[0], b"\n"[0], b"\r"[0]
_PLUS = b"+"[0]
_ZERO, _TEN = np.uint8(b"0"[0]), np.uint8(10)
_EDGE = 3  # bytes carried from one block to the next, so that a pattern across the seam is seen

Bytes = npt.NDArray[np.uint8]


@dataclass
class Scan:
    """Hashes the bytes it is fed and notes what a CSV reader would not say.

    `leading_zeros`: a value such as 007 or +44, which a reader of numbers would shorten (-07 is a number).
    `odd_quotes`: a quotation mark that neither opens nor closes a value, or one that is never closed.
    """

    delimiter: int
    leading_zeros: bool = False
    odd_quotes: bool = False
    nul: bool = False
    _inside: int = 0
    _tail: bytes = b"\n"
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    _edges: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        # Which bytes may stand beside a value: one look-up a byte.
        self._edges = np.zeros(256, dtype=np.bool_)
        self._edges[[self.delimiter, _LF, _CR, _QUOTE]] = True

    def feed(self, block: bytes) -> None:
        """Looks at the next bytes of the file, in order."""
        self._digest.update(block)
        data = self._tail + block
        self._look(data, len(self._tail))
        self._tail = data[-_EDGE:]

    def finish(self) -> str:
        """Looks at the end of the file; returns the SHA-256 of all bytes, in hexadecimal."""
        if self._inside:
            self.odd_quotes = True
        return self._digest.hexdigest()

    def _look(self, data: bytes, new: int) -> None:
        view: Bytes = np.frombuffer(data, dtype=np.uint8)
        if not self.nul:
            self.nul = b"\0" in data
        if not self.leading_zeros:
            # Plain passes over bytes first: only where a 0 stands before a digit are neighbours fetched.
            zeros = np.flatnonzero((view[1:-1] == _ZERO) & (view[2:] - _ZERO < _TEN)) + 1
            self.leading_zeros = bool(self._edges[view[zeros - 1]].any())
        if not self.leading_zeros and b"+" in data:
            plus = np.flatnonzero(view[1:] == _PLUS) + 1
            self.leading_zeros = bool(self._edges[view[plus - 1]].any())
        quotes = np.flatnonzero(view[new:] == _QUOTE) + new
        if not self.odd_quotes and len(quotes):
            opening, closing = quotes[self._inside :: 2], quotes[1 - self._inside :: 2]
            if len(closing) and closing[-1] + 1 == len(view):
                closing = closing[:-1]  # what follows it is looked at with the next block
            good = self._edges[view[opening - 1]].all() and self._edges[view[closing + 1]].all()
            self.odd_quotes = not bool(good)
        if not self.odd_quotes and not self._inside and data[new - 1] == _QUOTE and len(view) > new:
            self.odd_quotes = not bool(self._edges[view[new]])
        self._inside = (self._inside + len(quotes)) % 2


def _fault_of_encoding(path: Path) -> str | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            pending = decoder.getstate()[0]
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                line += (pending + block)[: error.start].count(b"\n")
                return (
                    f"line {line}: a byte that is no UTF-8 text. Save the file as UTF-8 (in a spreadsheet: "
                    "'CSV UTF-8'), or convert it with iconv, and add it again."
                )
            if not block:
                return None
            # Bytes held back are the start of one character, never a line's end.
            line += block.count(b"\n")


def find_fault(path: Path, delimiter: str) -> str | None:
    """Reads a CSV strictly; returns `line N: what is wrong and what to do`, or None when it is well formed."""
    if fault := _fault_of_encoding(path):
        return fault
    csv.field_size_limit(_LONGEST_FIELD)
    start = 1
    with path.open(encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text, delimiter=delimiter, strict=True)
        width = 0
        try:
            for row in rows:
                if not width:
                    width = len(row)
                elif len(row) != width and (row or width == 1):
                    found = "1 value" if len(row) == 1 else f"{len(row)} values"
                    if row or width != 1:
                        return (
                            f"line {start}: {found} where the header has {width}. A value that contains "
                            f"{delimiter!r} must stand in quotation marks; correct the line and add the file again."
                        )
                start = rows.line_num + 1
        except csv.Error as error:
            if "expected after" in str(error):
                what = "text after a closing quotation mark"
            elif "end of data" in str(error) or "field larger" in str(error):
                what = "a quotation mark is opened and never closed"
            else:
                what = str(error)
            return f"line {start}: {what}. Within quotes a quotation mark is written twice; correct the line."
    return None


def header_of(path: Path, delimiter: str | None) -> tuple[list[str], str]:
    """The column names and the delimiter of a CSV; raises Invalid when the names cannot be used."""
    with path.open("rb") as file:
        first = file.read(1 << 20)
    if not first.strip():
        raise Invalid(f"{path.name} is empty. A CSV starts with a line of column names.")
    if first[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in first:
        raise Invalid(f"{path.name} is no UTF-8 text. Save it as UTF-8 (in a spreadsheet: 'CSV UTF-8').")
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(first, final=False)
    except UnicodeDecodeError as error:
        line = first[: error.start].count(b"\n") + 1
        raise Invalid(f"{path.name}, line {line}: a byte that is no UTF-8 text. Save the file as UTF-8.") from error
    if delimiter is None:
        line_one = next(iter(text.lstrip("\r\n").splitlines()), "")
        delimiter = max((",", ";", "\t", "|"), key=line_one.count)
    elif len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
        raise Invalid(f"The delimiter {delimiter!r} is not one character such as ',' or ';'.")
    try:
        names = next((row for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter) if row), [])
    except csv.Error as error:
        raise Invalid(f"{path.name}: the line of column names is not CSV: {error}.") from error
    if not names:
        raise Invalid(f"{path.name} has no line of column names. A CSV starts with one.")
    check_names(path.name, names)
    return names, delimiter


def check_names(file_name: str, names: list[str]) -> None:
    """Raises Invalid for column names that are empty, doubled, overlong or hold control characters."""
    seen: set[str] = set()
    for position, name in enumerate(names, start=1):
        if not name.strip():
            raise Invalid(f"{file_name}: column {position} has no name. Name it in the first line.")
        if name in seen:
            raise Invalid(f"{file_name}: two columns are called {name!r}. Rename one of them in the first line.")
        if len(name) > 200 or not name.isprintable():
            raise Invalid(f"{file_name}: the name of column {position} is overlong or has control characters.")
        seen.add(name)
