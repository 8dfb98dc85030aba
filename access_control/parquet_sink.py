"""Writing Parquet so that it is immutable afterwards: hashed as it is written, synced, then made read-only."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import event
from sqlalchemy.orm import Session

from access_control.errors import Refused

GROUP_BYTES = 32 << 20
GROUP_ROWS = 1 << 19
_STAGING = ".staging-"
_LEFT_BEHIND_SECONDS = 86_400


class _HashingFile:
    """A file for pyarrow to write to; hashes what passes."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
        self._digest = hashlib.sha256()
        self.size = 0
        self.closed = False
        self.abandoned = False

    def write(self, data: Any) -> int:
        if self.abandoned:
            return len(data)  # the writer ends its file even when nobody wants it any more
        self._digest.update(data)
        self._file.write(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
            finally:
                self._file.close()

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


class ParquetSink:
    """Writes batches to a new Parquet file in row groups of bounded size, in a thread beside the caller's.

    No metadata of the input is carried over. After the `with` block `sha256`, `rows` and `size` (bytes) are set; when
    it is left by an exception the file is left for its folder's owner to remove.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema = schema.remove_metadata()
        self.rows = 0
        self.size = 0
        self.sha256 = ""
        self._file = _HashingFile(path)
        self._writer = pq.ParquetWriter(self._file, self.schema, compression="zstd", compression_level=1)
        self._pending: list[pa.RecordBatch] = []
        self._pending_bytes = 0
        self._pending_rows = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="parquet-sink")
        self._running: Future[None] | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Takes a batch of the sink's schema; raises OSError when the disk is full."""
        if not batch.num_rows:
            return
        self._pending.append(batch.replace_schema_metadata(None))
        self._pending_bytes += batch.nbytes
        self._pending_rows += batch.num_rows
        if self._pending_bytes >= GROUP_BYTES or self._pending_rows >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        self._wait()
        if self._pending:
            table = pa.Table.from_batches(self._pending, schema=self.schema)
            self.rows += self._pending_rows
            self._pending, self._pending_bytes, self._pending_rows = [], 0, 0
            self._running = self._pool.submit(self._writer.write_table, table, GROUP_ROWS)

    def _wait(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            running.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._flush()
                self._wait()
                self._writer.close()
        finally:
            self._pool.shutdown(wait=True)
            self._file.abandoned = True
            self._writer.close()
            self._file.close()
        self.size = self._file.size
        self.sha256 = self._file.hexdigest()


@contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """A new folder of mode 0700 beside its later place; it is removed with all its content when an exception passes.

    A crash can leave one behind: those older than a day are cleared here. What the disk refuses becomes Refused.
    """
    made_parent = not parent.exists()
    folder = parent / f"{_STAGING}{secrets.token_hex(8)}"
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in parent.glob(f"{_STAGING}*"):
            if time.time() - left.stat().st_mtime > _LEFT_BEHIND_SECONDS:
                remove_tree(left)
        folder.mkdir(mode=0o700)
        yield folder
    except BaseException as error:
        remove_tree(folder)
        if made_parent and parent.exists() and not any(parent.iterdir()):
            parent.rmdir()
        if isinstance(error, OSError) and not isinstance(error, pa.ArrowInvalid):
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Refused(
                    f"The disk below {parent} is full. Nothing was kept; free some space and try again."
                ) from error
            raise Refused(
                f"The data cannot be read or written: {error.strerror or error}. Nothing was kept."
            ) from error
        raise


def write_file(path: Path, text: str) -> str:
    """Writes a small text file of an immutable version; returns its SHA-256 in hexadecimal."""
    file = _HashingFile(path)
    try:
        file.write(text.encode())
    finally:
        file.close()
    return file.hexdigest()


def settle(db: Session, staged: Path, final: Path) -> None:
    """Puts a staged folder in its place, read-only (files 0444, folder 0555); a rollback of `db` takes it away again.

    A folder that a crash left there without a row in the database is moved out of the way: the caller holds the lock
    under which the number of the version was chosen.
    """
    for file in staged.iterdir():
        file.chmod(0o444)
    if final.exists():
        orphan = final.with_name(f"{_STAGING}{secrets.token_hex(8)}")
        final.rename(orphan)
        remove_tree(orphan)
    staged.rename(final)
    final.chmod(0o555)
    for folder in (final, final.parent):
        _sync_folder(folder)
    _undo_on_rollback(db, final)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _undo_on_rollback(db: Session, folder: Path) -> None:
    # A session may go on with other transactions: only the one that is open now decides about this folder.
    undecided = [folder]

    def committed(_session: Session) -> None:
        undecided.clear()

    def rolled_back(_session: Session) -> None:
        while undecided:
            gone = undecided.pop()
            remove_tree(gone)
            if gone.parent.exists() and not any(gone.parent.iterdir()):
                gone.parent.rmdir()

    event.listen(db, "after_commit", committed)
    event.listen(db, "after_rollback", rolled_back)


def remove_tree(folder: Path) -> None:
    """Removes a folder of read-only files; no error when it is not there."""
    if not folder.is_symlink() and folder.is_dir():
        folder.chmod(0o700)
        shutil.rmtree(folder)
