"""Readers: a CSV or Parquet file as a stream of Arrow batches whose types hold for the whole file.

A CSV is first read with the types that its first block suggests. When a later value does not fit, or when the raw
bytes hold what those types would change (007, numbers beyond 2^53), the types are found out over the whole file and it
is read again. Every pass opens a stream of its own: the thread of an abandoned reader may still be reading the old one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from access_control.csv_structure import Scan, check_names, find_fault, header_of
from access_control.errors import Invalid

BLOCK = 4 << 20
SCAN_BLOCK = 64 << 10  # so small that what numpy makes of it stays in the processor's cache
BATCH_BYTES = 8 << 20
MISSING: tuple[str, ...] = ("", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null")
_EXACT = 2**53
_LEADING_ZERO = r"^(\+|0[0-9])"
_TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
_LONG_NUMBER = r"^[+-]?[0-9]{16,}$"

Progress = Callable[[float], None]


class Undecided(Exception):
    """The types that the first block suggested do not hold for the whole file."""


@dataclass
class Reading:
    """One pass over a file. `sha256` is of the file's bytes, and there only when the pass has come to its end."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    notes: dict[str, str] = field(default_factory=dict)  # column -> why it has the type it has
    sha256: str = ""


@dataclass(frozen=True)
class CsvFile:
    """A CSV and how it is written."""

    path: Path
    names: list[str]
    delimiter: str
    missing: tuple[str, ...]

    def open(self, types: dict[str, pa.DataType] | None) -> pacsv.CSVStreamingReader:
        """A new reader on a stream of its own."""
        return pacsv.open_csv(
            pa.OSFile(str(self.path), "rb"),
            read_options=pacsv.ReadOptions(block_size=BLOCK),
            parse_options=pacsv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, ignore_empty_lines=len(self.names) > 1
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=types or {}, null_values=list(self.missing), strings_can_be_null=True
            ),
        )

    def fail(self, error: Exception) -> Invalid:
        """The refusal for a reader's error, with the line when it can be found."""
        fault = find_fault(self.path, self.delimiter)
        where = f"{self.path.name}, {fault}" if fault else f"{self.path.name} cannot be read as CSV: {error}"
        return Invalid(f"{where} Nothing was added.")


def csv_file(path: Path, delimiter: str | None, missing: Sequence[str] | None) -> CsvFile:
    """Looks at the header; raises Invalid when there is none that can be used."""
    names, found = header_of(path, delimiter)
    return CsvFile(path, names, found, tuple(missing) if missing is not None else MISSING)


class _Scanner(threading.Thread):
    """Hashes and scans the file beside the reader, with a stream of its own."""

    def __init__(self, source: CsvFile) -> None:
        super().__init__(name="csv-scan", daemon=True)
        self.scan = Scan(ord(source.delimiter))
        self.sha256 = ""
        self.error: OSError | None = None
        self._path = source.path
        self._stop_early = threading.Event()

    def run(self) -> None:
        try:
            with self._path.open("rb", buffering=0) as file:
                while (block := file.read(SCAN_BLOCK)) and not self._stop_early.is_set():
                    self.scan.feed(block)
            self.sha256 = self.scan.finish()
        except OSError as error:
            self.error = error

    def stop(self) -> None:
        self._stop_early.set()
        self.join()


@contextmanager
def read_csv(source: CsvFile, types: dict[str, pa.DataType] | None, progress: Progress) -> Iterator[Reading]:
    """One pass over a CSV. Raises Invalid for a broken line; without `types`, Undecided when the guess did not hold."""
    size = max(source.path.stat().st_size, 1)
    scanner = _Scanner(source)
    try:
        reader = source.open(types)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise source.fail(error) from error
    if types is None and any(pa.types.is_binary(kind) for kind in reader.schema.types):
        raise source.fail(ValueError("it is no UTF-8 text"))
    if types is None and any(pa.types.is_null(kind) for kind in reader.schema.types):
        reader.close()
        raise Undecided
    scanner.start()
    reading = Reading(reader.schema, iter(()))

    def batches() -> Iterator[pa.RecordBatch]:
        done = 0
        floats = [i for i, kind in enumerate(reader.schema.types) if pa.types.is_floating(kind)]
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                break
            except pa.ArrowInvalid as error:
                if "conversion error" in str(error) and types is None:
                    raise Undecided from error
                raise source.fail(error) from error
            if types is None and any(_beyond_exact(batch.column(i)) for i in floats):
                raise Undecided
            done += batch.nbytes
            progress(min(done / size, 0.99))
            yield batch
        scanner.join()
        if scanner.error is not None:
            raise Invalid(f"{source.path.name} cannot be read: {scanner.error.strerror}.") from scanner.error
        if scanner.scan.nul or scanner.scan.odd_quotes:
            fault = find_fault(source.path, source.delimiter)
            if fault or scanner.scan.nul:
                raise Invalid(
                    f"{source.path.name}, {fault or 'it holds NUL bytes, which no text has.'} Nothing was added."
                )
        if types is None and scanner.scan.leading_zeros:
            raise Undecided
        reading.sha256 = scanner.sha256

    reading.batches = batches()
    try:
        yield reading
    finally:
        scanner.stop()
        reader.close()


def _beyond_exact(column: pa.Array) -> bool:
    ends = pc.min_max(column)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    return low is not None and (high >= _EXACT or low <= -_EXACT)


_TRIED: tuple[tuple[str, pa.DataType], ...] = (
    ("truth values", pa.bool_()),
    ("whole numbers", pa.int64()),
    ("numbers", pa.float64()),
    ("dates", pa.date32()),
    ("times of day", pa.time32("s")),
    ("times", pa.timestamp("us")),
    ("times", pa.timestamp("us", "UTC")),
)


@dataclass
class _Candidates:
    """The types that every value of a column so far could have."""

    left: list[pa.DataType] = field(default_factory=lambda: [kind for _, kind in _TRIED])
    note: str = ""
    seen: bool = False

    def look(self, column: pa.Array) -> None:
        column = column.drop_null()
        if not len(column):
            return
        self.seen = True
        if not self.left:
            return
        if pc.any(pc.match_substring_regex(column, _LEADING_ZERO)).as_py():
            self._lose_numbers("kept as text: some values start with 0 or +, as identifiers do")
        if pc.any(pc.match_substring_regex(column, _LONG_NUMBER)).as_py():
            self._lose_numbers("kept as text: some numbers are too long to be kept exactly")
        for kind in list(self.left):
            try:
                if pa.types.is_boolean(kind):
                    fits = not pc.any(pc.invert(pc.is_in(pc.utf8_lower(column), pa.array(["true", "false"])))).as_py()
                elif pa.types.is_time(kind):
                    fits = bool(pc.all(pc.match_substring_regex(column, _TIME_OF_DAY)).as_py())
                else:
                    pc.cast(column, kind)
                    fits = True
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                fits = False
            if not fits:
                self.left.remove(kind)

    def _lose_numbers(self, note: str) -> None:
        lost = [kind for kind in self.left if pa.types.is_integer(kind) or pa.types.is_floating(kind)]
        if lost:
            self.note = note
            self.left = [kind for kind in self.left if kind not in lost]

    def outcome(self) -> tuple[pa.DataType, str]:
        if not self.seen:
            return pa.string(), "kept as text: no row has a value"
        if self.left:
            return self.left[0], ""
        return pa.string(), self.note


def infer_types(source: CsvFile, progress: Progress) -> tuple[dict[str, pa.DataType], dict[str, str]]:
    """The narrowest type of each column over the whole file, and a note where one is kept as text for a reason."""
    found = {name: _Candidates() for name in source.names}
    text = {name: pa.string() for name in source.names}
    with read_csv(source, text, progress) as reading:
        for batch in reading.batches:
            for name in source.names:
                found[name].look(batch.column(name))
    outcomes = {name: candidates.outcome() for name, candidates in found.items()}
    return {name: kind for name, (kind, _) in outcomes.items()}, {n: note for n, (_, note) in outcomes.items() if note}


def _plain(file_name: str, field_: pa.Field) -> pa.Field:
    """A column of a Parquet file as it is kept; raises Invalid for what no table of values has."""
    kind = field_.type
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_dictionary(kind):
        # Unused categories would keep the names of rows that are gone: only the values themselves are kept.
        kind = kind.value_type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        kind = pa.string()
    if pa.types.is_null(kind):
        kind = pa.string()
    if pa.types.is_float16(kind):
        kind = pa.float32()
    simple = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_string,
              pa.types.is_date, pa.types.is_time, pa.types.is_timestamp, pa.types.is_duration)  # fmt: skip
    if not any(test(kind) for test in simple):
        raise Invalid(
            f"{file_name}: column {field_.name!r} is of type {field_.type}. Only numbers, text, dates, times and truth "
            "values are taken; flatten or convert the column. Nothing was added."
        )
    return pa.field(field_.name, kind)


@contextmanager
def read_parquet(path: Path, progress: Progress, columns: Sequence[str] | None = None) -> Iterator[Reading]:
    """One pass over a Parquet file, in batches of bounded size; raises Invalid when it is damaged or no plain table."""
    try:
        file = pq.ParquetFile(pa.OSFile(str(path), "rb"), buffer_size=1 << 20, pre_buffer=False)
        names = file.schema_arrow.names if columns is None else list(columns)
        check_names(path.name, names)
        schema = pa.schema([_plain(path.name, file.schema_arrow.field(name)) for name in names])
    except (pa.ArrowException, OSError, KeyError) as error:
        raise Invalid(f"{path.name} cannot be read as Parquet: {error}. Nothing was added.") from error
    total = max(file.metadata.num_rows, 1)

    def batches() -> Iterator[pa.RecordBatch]:
        done = 0
        try:
            for batch in file.iter_batches(batch_size=rows_per_batch(file.metadata), columns=names):
                done += batch.num_rows
                progress(min(done / total, 0.99))
                yield _cast(batch, schema)
        except (pa.ArrowException, OSError) as error:
            raise Invalid(f"{path.name} is damaged after row {done:,}: {error}. Nothing was added.") from error

    try:
        yield Reading(schema, batches())
    finally:
        file.close()


def rows_per_batch(metadata: Any) -> int:
    """Rows whose values take about BATCH_BYTES, from the sizes in the file's own footer (8 bytes a value at least)."""
    rows = max(metadata.num_rows, 1)
    stated = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    a_row = max(stated // rows, 8 * metadata.num_columns, 1)
    return int(max(1024, min(262_144, BATCH_BYTES // a_row)))


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = []
    for column, field_ in zip(batch.columns, schema, strict=True):
        plain = column.storage if isinstance(column, pa.ExtensionArray) else column
        columns.append(plain if plain.type == field_.type else pc.cast(plain, field_.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)
