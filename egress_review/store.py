"""The content-addressed store: blobs named by their SHA-256, written once, read-only, whole or not at all.

A blob is written under a staging name, synced, and only then renamed: whatever is below `blobs/` was complete when it
got its name. The hash is compared again at every use, because disks and administrators change bytes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from egress_review.errors import Refused

CHUNK = 1024 * 1024
STALE_SECONDS = 24 * 3600  # a staging file that old was left by a process that died
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Blob:
    """What was put: its hash and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Damage:
    """A blob that is not what its name says, and the sentence for it."""

    sha256: str
    sentence: str


@dataclass(frozen=True)
class Store:
    """The store below `root`: `staging/` and `blobs/ab/abcd…`; made at the first write, open to the enclave's user
    alone.
    """

    root: Path

    def path(self, sha256: str) -> Path:
        """Where the blob is, or would be; raises Refused for what is no SHA-256."""
        if not _SHA256.fullmatch(sha256):
            raise Refused("This file was never put into the store: it has no hash. Submit the request again.")
        return self.root / "blobs" / sha256[:2] / sha256

    @contextlib.contextmanager
    def staged(self) -> Iterator[tuple[int, Path]]:
        """A new staging file, open for reading and writing; it is gone afterwards unless `keep` has renamed it.

        A full disk is raised as Refused: nothing that was in the store is touched by it.
        """
        folder = self._folder("staging")
        path = folder / uuid.uuid4().hex
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                yield fd, path
            finally:
                os.close(fd)
        except OSError as error:
            if error.errno in _FULL:
                raise Refused(
                    "The enclave's disk is full, so the files could not be kept. Nothing is lost: your "
                    "request is as it was. Tell an admin to make room, then submit again."
                ) from error
            raise
        finally:
            path.unlink(missing_ok=True)

    def keep(self, fd: int, staging: Path, sha256: str) -> None:
        """Gives a staged file its name for good: synced, read-only, renamed, and the folder synced.

        A blob of that name is replaced by the same bytes, which mends it where it was damaged.
        """
        final = self.path(sha256)
        self._folder("blobs", sha256[:2])
        os.fchmod(fd, 0o400)
        os.fsync(fd)
        staging.replace(final)
        _sync_folder(final.parent)

    def put(self, chunks: Iterable[bytes]) -> Blob:
        """Stores the bytes of `chunks` under their hash."""
        with self.staged() as (fd, staging):
            sha, size = hashlib.sha256(), 0
            for chunk in chunks:
                write_all(fd, chunk)
                sha.update(chunk)
                size += len(chunk)
            self.keep(fd, staging, sha.hexdigest())
        return Blob(sha.hexdigest(), size)

    def verify(self, sha256: str) -> Path:
        """The path of a blob whose bytes have just been hashed; raises Refused when it is missing or damaged."""
        path = self.path(sha256)
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise Refused(f"The stored file {sha256[:12]} cannot be read ({error.strerror}). {_ASK}") from error
        if found != sha256:
            raise Refused(f"The stored file {sha256[:12]} is damaged: its bytes are no longer those reviewed. {_ASK}")
        return path

    def read(self, sha256: str) -> bytes:
        """The very bytes whose hash was compared; raises Refused when the blob is missing or damaged."""
        path = self.path(sha256)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Refused(f"The stored file {sha256[:12]} cannot be read ({error.strerror}). {_ASK}") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Refused(f"The stored file {sha256[:12]} is damaged: its bytes are no longer those reviewed. {_ASK}")
        return data

    def fsck(self, wanted: Iterable[str] = (), *, progress: Callable[[str], None] | None = None) -> list[Damage]:
        """Hashes every blob, and looks for each of `wanted`; returns what is damaged, foreign or missing."""
        found: list[Damage] = []
        there: set[str] = set()
        for path in sorted((self.root / "blobs").glob("*/*")):
            if progress:
                progress(path.name)
            if not _SHA256.fullmatch(path.name) or path.parent.name != path.name[:2]:
                found.append(Damage(path.name, f"{path.name} does not belong into the store: no blob has such a name."))
                continue
            there.add(path.name)
            try:
                self.verify(path.name)
            except Refused as error:
                found.append(Damage(path.name, str(error)))
        missing = sorted({sha256 for sha256 in wanted if sha256} - there)
        return found + [Damage(sha256, f"The stored file {sha256[:12]} is missing. {_ASK}") for sha256 in missing]

    def sweep(self) -> int:
        """Removes staging files that a process which died left a day ago; returns how many."""
        swept = 0
        for path in (self.root / "staging").glob("*"):
            with contextlib.suppress(FileNotFoundError):  # another process finished with it
                if time.time() - path.lstat().st_mtime > STALE_SECONDS:
                    path.unlink()
                    swept += 1
        return swept

    def _folder(self, *parts: str) -> Path:
        folder = self.root.joinpath(*parts)
        if not folder.is_dir():
            for each in [self.root.joinpath(*parts[:length]) for length in range(len(parts) + 1)]:
                if not each.is_dir():
                    each.mkdir(mode=0o700, parents=True, exist_ok=True)
                    _sync_folder(each.parent)
        return folder


_ASK = "It is not given out. Ask an admin to run `enclave egress fsck` and to restore it from the backup."


def write_all(fd: int, data: bytes) -> None:
    """Writes all of `data`: a single write may take less."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
