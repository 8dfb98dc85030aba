"""The keyed index of a dataset's rows, built at ingest; as sensitive as the data, never mounted.

One folder a version: `index.bin` holds, one after the other, each column's 16-bit fingerprints row by row (exact, and to
three digits), how often each fingerprint occurs, and for columns of many values a bitmap of longer hashes; `index.json` says
where each begins, and has the hashes of each column's least and greatest number. The file is mapped as a whole: one mapping, no descriptor a column.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from access_control.settings import Settings
from egress_review.errors import Refused
from egress_review.index_build import BINS, build_column
from egress_review.index_numbers import Hashes, Key, Prints, short
from egress_review.index_read import SourceFile
from egress_review.index_room import Room
from egress_review.index_tables import Tables

FORMAT = 3


@dataclass(frozen=True)
class Extreme:
    """The least or the greatest value of a column, as hashes to twelve and to three digits, and how many rows hold it."""

    exact: int
    coarse: int
    rows: int


_KEPT = 400_000  # rows that a column remembers of its last question


@dataclass
class Column:
    """One column of the index, as arrays over the mapped file."""

    name: str
    numeric: bool
    exact: Prints
    coarse: Prints
    exact_counts: npt.NDArray[np.uint32]
    coarse_counts: npt.NDArray[np.uint32]
    bitmap: npt.NDArray[np.uint8] | None
    bitmap_bits: int
    distinct: int
    extremes: dict[str, Extreme] = field(default_factory=dict)  # "lowest" and "highest" of a column of numbers
    _asked: dict[bool, tuple[bytes, npt.NDArray[np.int64]]] = field(default_factory=dict, repr=False)

    def rows_among(self, wanted: npt.NDArray[np.bool_], *, coarse: bool) -> npt.NDArray[np.int64]:
        """The rows whose short hash is among the wanted ones (a truth value for each of 65,536).

        The last answer is kept where it is small: a search asks for the same again and again.
        """
        asked = wanted.tobytes()
        last = self._asked.get(coarse)
        if last is not None and last[0] == asked:
            return last[1]
        rows = np.flatnonzero(wanted[self.coarse if coarse else self.exact])
        if len(rows) <= _KEPT:
            self._asked[coarse] = (asked, rows)
        return rows

    def holds(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Which of these values occur in the column; a few percent of others too."""
        known = (self.exact_counts[short(hashes)] > 0) & (hashes != 0)
        if self.bitmap is not None:
            place = hashes >> np.uint64(64 - self.bitmap_bits)
            bits = self.bitmap[place >> np.uint64(3)] >> (np.uint8(7) - (place & np.uint64(7)).astype(np.uint8))
            known &= (bits & 1).astype(bool)
        held: npt.NDArray[np.bool_] = known
        return held


@dataclass
class SourceIndex:
    """An opened index."""

    dataset: str
    version: int
    rows: int
    columns: list[Column]
    key: Key


def folder_of(settings: Settings, dataset_id: str, version: int) -> Path:
    """Where the index of this version is."""
    return settings.indexes / dataset_id / f"v{version}"


def has_index(settings: Settings, dataset_id: str, version: int) -> bool:
    """Whether a readable index of this version is there."""
    folder = folder_of(settings, dataset_id, version)
    try:
        described = json.loads((folder / "index.json").read_text())
        return bool(described["format"] == FORMAT and (folder / "index.bin").stat().st_size == described["bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def index_key(settings: Settings) -> bytes:
    """The secret of this enclave's indexes; made at the first use, mode 0600."""
    path = settings.keys / "source-index.key"
    settings.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(secrets.token_bytes(16))
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(temporary, path)  # unlike a rename, never replaces a key that another process made just now
        finally:
            temporary.unlink()
    return path.read_bytes()


def build_index(settings: Settings, dataset_id: str, version: int, parquet_path: Path) -> Path:
    """Builds `settings.indexes/<dataset>/v<version>/` from the Parquet file and returns that folder.

    Raises Refused when the file cannot be read. Written beside and renamed: there is a whole index or none.
    """
    return write_index(parquet_path, folder_of(settings, dataset_id, version), index_key(settings), dataset_id, version)


def write_index(parquet_path: Path, folder: Path, secret: bytes, dataset_id: str, version: int) -> Path:
    """Builds an index in `folder` with the key `secret`, for `build_index` and for checks without an enclave."""
    key = Key.from_bytes(secret)
    try:
        source = SourceFile.of(parquet_path)
    except Exception as error:  # pyarrow raises many kinds
        raise Refused(
            f"{parquet_path.name} cannot be read as Parquet, so its rows cannot be looked for in outputs: {error}"
        ) from error
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staging = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    staging.mkdir(mode=0o700)
    try:
        described = _write(source, staging, key)
        described |= {"dataset": dataset_id, "version": version, "key": secret.hex()}
        descriptor = os.open(staging / "index.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            json.dump(described, opened)
            opened.flush()
            os.fsync(opened.fileno())
        if folder.exists():
            shutil.rmtree(folder)
        staging.rename(folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return folder


def _write(source: SourceFile, staging: Path, key: Key) -> dict[str, Any]:
    descriptor = os.open(staging / "index.bin", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        room, tables = Room(descriptor), Tables(key)
        with _settling(descriptor), ThreadPoolExecutor(max_workers=2) as pool:
            # The large ones first, so that none of them is left for one thread at the end.
            order = sorted(source.places, key=lambda name: -source.size(name))
            built = pool.map(lambda name: build_column(source, name, tables, room), order)
            entries = {entry["name"]: entry for entry in built}
        os.ftruncate(descriptor, room.end)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    columns = [entries[name] for name in source.places]
    return {"format": FORMAT, "rows": source.rows, "columns": columns, "bytes": room.end}


@contextlib.contextmanager
def _settling(descriptor: int) -> Iterator[None]:
    """Brings what is written to the disk meanwhile, so that little is left to wait for at the end."""
    over = threading.Event()

    def settle() -> None:
        while not over.wait(0.1):
            os.fdatasync(descriptor)

    with ThreadPoolExecutor(max_workers=1) as pool:
        settled = pool.submit(settle)
        try:
            yield
        finally:
            over.set()
        settled.result()  # a disk that fails fails the index


def open_index(folder: Path) -> SourceIndex:
    """Maps an index; raises Refused when it is not whole."""
    try:
        described = json.loads((folder / "index.json").read_text())
        with (folder / "index.bin").open("rb") as opened:
            mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        if described["format"] != FORMAT:
            raise ValueError(f"it is of format {described['format']}, this program reads format {FORMAT}")  # noqa: TRY301 - one sentence for all that can be wrong
        if len(mapped) != described["bytes"]:
            raise ValueError("its size is wrong")  # noqa: TRY301
        rows = int(described["rows"])
        columns = []
        for entry in described["columns"]:
            at = entry["at"]
            exact = np.frombuffer(mapped, np.uint16, rows, at["exact"])
            exact_counts = np.frombuffer(mapped, np.uint32, BINS, at["exact_counts"])
            bitmap = (
                np.frombuffer(mapped, np.uint8, (1 << entry["bits"]) // 8, at["bitmap"]) if "bitmap" in at else None
            )
            coarse = np.frombuffer(mapped, np.uint16, rows, at["coarse"]) if "coarse" in at else exact
            coarse_counts = (
                np.frombuffer(mapped, np.uint32, BINS, at["coarse_counts"]) if "coarse" in at else exact_counts
            )
            columns.append(
                Column(
                    entry["name"],
                    entry["numeric"],
                    exact,
                    coarse,
                    exact_counts,
                    coarse_counts,
                    bitmap,
                    entry["bits"],
                    entry["distinct"],
                    {end: Extreme(*(int(part) for part in parts)) for end, parts in entry["extremes"].items()},
                )
            )
        return SourceIndex(
            described["dataset"],
            int(described["version"]),
            rows,
            columns,
            Key.from_bytes(bytes.fromhex(described["key"])),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            f"The index of source rows in {folder.parent.name}/{folder.name} cannot be read: {error}. Build it again with `enclave dataset index`."
        ) from error
