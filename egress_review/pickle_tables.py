"""The values in a pickle or a saved array, read by opcode and never loaded: for the search of source rows alone.

Nothing is called and no object is made. Buffers of arrays are laid out as the numbers near them say, and where that
leaves a choice (the order of a matrix, the type of its numbers) every reading that makes sense becomes a table.
"""

from __future__ import annotations

import itertools
import pickletools
import zlib
from collections import defaultdict
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from egress_review.table import Table

MAX_OPCODES = 1_000_000
MAX_UNPACKED = 64 * 1024**2
MAX_TABLES = 30
MAX_COLUMNS = 200
NEAR = 40  # opcodes between a buffer and its shape and type
_SCALARS = ("FLOAT", "INT", "LONG", "UNICODE", "STRING", "NEWTRUE", "NEWFALSE")
_CLOSING = ("APPENDS", "LIST", "TUPLE", "SETITEMS", "DICT", "ADDITEMS", "FROZENSET")
_TYPES = ("f8", "i8", "f4", "i4", "i2", "u1")

_Opcode = tuple[str, Any]
_Vector = npt.NDArray[Any]


def unpacked(data: bytes) -> bytes:
    """The pickle in a zlib or gzip stream, up to a limit; anything else as it is."""
    window = {b"\x78": 15, b"\x1f": 31}.get(data[:1])
    if window is None:
        return data
    try:
        return zlib.decompressobj(window).decompress(data, MAX_UNPACKED)
    except zlib.error:
        return data


def opcodes(data: bytes) -> list[_Opcode]:
    """(name, argument) of every opcode, until what is broken or too much."""
    found: list[_Opcode] = []
    try:
        for opcode, argument, _ in pickletools.genops(data):
            found.append((opcode.name, argument))
            if len(found) == MAX_OPCODES:
                break
    except Exception:  # pickletools raises many kinds for broken pickles; what was read counts
        return found
    return found


def tables_in(data: bytes) -> list[Table]:
    """The lists, records and arrays of a pickle as tables."""
    found = opcodes(unpacked(data))
    listed, records = _lists(found)
    tables = [_table(f"lists of {length} values", columns) for length, columns in listed.items()]
    tables += [_table(f"records of {width} values", rows) for width, rows in records.items()]
    plain: dict[int, list[_Vector]] = defaultdict(list)
    turned: dict[int, list[_Vector]] = defaultdict(list)
    for buffer, near in _buffers(found):
        for numbers in _readings(buffer, near):
            for columns, into in zip(_layouts(numbers, near), (plain, turned), strict=True):
                if columns and len(columns[0]) >= 3:
                    into[len(columns[0])] += columns
    for groups in (plain, turned):
        tables += [
            _table(f"arrays of {length}", [pl.Series(column) for column in columns])
            for length, columns in groups.items()
        ]
    return tables[:MAX_TABLES]


def saved_array(data: bytes) -> list[Table]:
    """The columns of a `.npy` file; raises ValueError for one of objects, which would be a pickle."""
    array = np.lib.format.read_array(BytesIO(data), allow_pickle=False)
    if array.dtype.names:
        return [_table("", [pl.Series(np.ascontiguousarray(array[name]).ravel()) for name in array.dtype.names])]
    if array.dtype.kind not in "fiub" or array.ndim not in (1, 2) or not array.size:
        return []
    matrix = array.reshape(len(array), -1)
    wide = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    return [
        _table("", [pl.Series(np.ascontiguousarray(wide[:, place])) for place in range(wide.shape[1])][:MAX_COLUMNS])
    ]


def _table(where: str, columns: list[pl.Series]) -> Table:
    return Table(where, [""] * len(columns[:MAX_COLUMNS]), columns[:MAX_COLUMNS], {"log": True})


def _lists(found: list[_Opcode]) -> tuple[dict[int, list[pl.Series]], dict[int, list[pl.Series]]]:
    """Lists of one length as columns beside each other; short groups of one width as the rows of a table."""
    long: dict[int, list[pl.Series]] = defaultdict(list)
    short: dict[int, list[list[str]]] = defaultdict(list)

    def close(group: list[str]) -> None:
        if len(group) >= 8:
            long[len(group)].append(pl.Series(group, dtype=pl.String))
        if 2 <= len(group) <= 60:
            short[len(group)].append(group)

    groups: list[list[str]] = [[]]  # what was pushed since each open mark
    run: list[str] = []  # old protocols append one by one
    pairs: list[str] = []  # and set one by one
    memo: dict[int, str | None] = {}
    last: str | None = None
    for name, argument in found:
        if name in ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"):
            memo[len(memo) if argument is None else int(argument)] = last
            continue
        if name in ("BINGET", "LONG_BINGET", "GET"):
            last = memo.get(int(argument))
        elif name.endswith(_SCALARS) or name.startswith(("BININT", "LONG")) or "UNICODE" in name:
            last = str(argument) if argument is not None else name[3:].lower()
        elif name == "APPEND" and last is not None and groups[-1]:
            run.append(groups[-1].pop())
            last = None
            continue
        else:
            close(run)
            run, last = [], None
            if name == "MARK":
                groups.append([])
            elif name == "SETITEM":
                pairs += groups[-1][-2:]
                del groups[-1][-2:]
            elif name == "APPEND":
                close(pairs)
                pairs = []
            elif name in ("TUPLE1", "TUPLE2", "TUPLE3") and groups[-1]:
                close(groups[-1][-int(name[-1]) :])
                del groups[-1][-int(name[-1]) :]
            elif name in _CLOSING:
                close(groups.pop())
                groups = groups or [[]]
        if last is not None:
            groups[-1].append(last)
    groups += [run, pairs]
    for group in groups:
        close(group)
    rows = {width: group for width, group in short.items() if len(group) >= 3}
    return dict(long), {
        width: [pl.Series(column, dtype=pl.String) for column in zip(*group, strict=True)]
        for width, group in rows.items()
    }


def _buffers(found: list[_Opcode]) -> Iterator[tuple[bytes, list[_Opcode]]]:
    """Each run of bytes with the opcodes near it; old protocols write bytes as Latin-1 text."""
    latin = any(argument == "latin1" for _, argument in found)
    for place, (name, argument) in enumerate(found):
        buffer: bytes | None = None
        if isinstance(argument, bytes | bytearray):
            buffer = bytes(argument)
        elif latin and isinstance(argument, str) and len(argument) >= 24 and not argument.isprintable():
            try:
                buffer = argument.encode("latin-1")
            except UnicodeEncodeError:
                continue
        if buffer is not None and len(buffer) >= 24 and name != "LONG1":
            yield buffer, found[max(0, place - NEAR) : place + NEAR]


def _readings(buffer: bytes, near: list[_Opcode]) -> Iterator[_Vector]:
    """The buffer as numbers: of the types that are named near it, or of those that give numbers of usual size."""
    named = [kind for kind in _TYPES if any(argument == kind for _, argument in near)]
    for kind in named or _TYPES[:2]:
        if len(buffer) % int(kind[1]):
            continue
        numbers = np.frombuffer(buffer, f"<{kind}")
        with np.errstate(all="ignore"):
            size = np.abs(numbers.astype(np.float64))
            usual = ((size > 1e-9) & (size < 1e12)) | (size == 0) | np.isnan(size)
        if usual.mean() > 0.95:
            yield numbers


def _layouts(numbers: _Vector, near: list[_Opcode]) -> tuple[list[_Vector], list[_Vector]]:
    """The columns of a matrix by rows and by columns, of the shape that stands near; or the vector itself."""
    sizes = [
        int(argument)
        for name, argument in near
        if name.startswith(("BININT", "INT", "LONG"))
        and isinstance(argument, int)
        and not name.endswith(("PUT", "GET"))
    ]
    for a, b in itertools.pairwise(sizes):
        if a > 1 and b > 1 and a * b == len(numbers):
            by_rows, by_columns = numbers.reshape(a, b), numbers.reshape(b, a).T
            made = [matrix if a <= b else matrix.T for matrix in (by_rows, by_columns)]
            first, second = ([np.ascontiguousarray(row) for row in matrix[:MAX_COLUMNS]] for matrix in made)
            return first, second
    return [numbers], []
