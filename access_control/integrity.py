"""What a session mounts is what was published: every file is hashed again before a container sees it.

A hash is kept for a file whose device, inode, size, modification and change time are those it had when it was hashed;
anything else is hashed anew. The kept hashes live in memory only, so a restart trusts nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from access_control import changes
from access_control.audit import Act
from access_control.database import writing
from access_control.errors import NotFound, Refused
from access_control.models import RenditionVersion, touch
from access_control.settings import Settings

_CHUNK = 1 << 20
# A file that changes twice within one tick of the file system's clock keeps its times; its hash is not kept so early.
_SETTLED_NS = 2_000_000_000


class Mounted(Protocol):
    """What this module reads of `access_control.decisions.Mount`."""

    @property
    def rendition(self) -> str:
        """Such as `hiv/pseudonymised`."""

    @property
    def version(self) -> int:
        """The number of the rendition's version."""

    @property
    def source(self) -> str:
        """The absolute path of the folder that is mounted."""

    @property
    def files(self) -> dict[str, str]:
        """Name -> SHA-256 of every file in the folder."""


class Altered(Refused):
    """A published file is missing or is not what was published. `problem` says which, for the steward."""

    def __init__(self, mount: Mounted, problem: str) -> None:
        self.rendition = mount.rendition
        self.version = mount.version
        self.source = mount.source
        self.problem = problem
        super().__init__(
            f"{mount.rendition} version {mount.version} is not mounted: {problem}. The data stewards are told; "
            "they restore the files or publish a new version, and then the session can be started again."
        )


@dataclass(frozen=True)
class _Stamp:
    """What changes when a file does."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, info: os.stat_result) -> _Stamp:
        return cls(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)


_known: dict[str, tuple[_Stamp, str]] = {}
_lock = threading.Lock()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a regular file, in hexadecimal; raises OSError, also for a link or a device."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path.name} is no regular file")
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verified_hash(folder: int, name: str, key: str) -> str:
    """The hash of `name` in the opened folder, from memory when its stamp is unchanged; raises OSError."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise OSError("it is no regular file")
        stamp = _Stamp.of(before)
        with _lock:
            known = _known.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        digest = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        if _Stamp.of(os.fstat(file.fileno())) != stamp:
            raise OSError("it changes while it is read")
        found = digest.hexdigest()
        if time.time_ns() - max(stamp.changed_ns, stamp.modified_ns) > _SETTLED_NS:
            with _lock:
                _known[key] = (stamp, found)
        return found


def submounts(folder: Path, mountinfo: str | None = None) -> list[str]:
    """Mount points below `folder` (itself not counted); raises Refused when the list of mounts cannot be read."""
    try:
        text = mountinfo if mountinfo is not None else Path("/proc/self/mountinfo").read_text()
    except OSError as error:
        raise Refused(
            f"The mounts of this machine cannot be read ({error.strerror}), so nothing is mounted."
        ) from error
    inside = str(folder).rstrip("/") + "/"
    points = [re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), line.split()[4]) for line in text.splitlines()]
    return sorted(point for point in points if point.startswith(inside))


def verify_mount(settings: Settings, mount: Mounted) -> None:
    """Checks the folder of a mount against what was published; returns nothing when every file is as it was.

    Raises Altered (a Refused) when a file is missing, changed, added, or no regular file, and Refused when the folder
    lies outside the renditions or another file system is mounted below it. It reads no database: `verify_or_mark`
    also tells the stewards.
    """
    source = Path(mount.source)
    real = Path(os.path.realpath(source))
    root = Path(os.path.realpath(settings.renditions))
    if not source.is_absolute() or not real.is_relative_to(root) or real == root:
        raise Refused(f"{mount.rendition} is not mounted: {source} is not one of the published renditions.")
    if source != real and Path(os.path.realpath(source.parent)) / source.name != real:
        raise Altered(mount, "its folder was replaced by a link")
    if below := submounts(real):
        # A read-only bind mount is not recursive: whatever is mounted below would stay writable in the session.
        raise Refused(
            f"{mount.rendition} is not mounted: {below[0]} is a mount of its own. An administrator unmounts it."
        )
    if not mount.files:
        raise Refused(f"{mount.rendition} is not mounted: its record names no file. A steward publishes it again.")
    try:
        folder = os.open(real, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise Altered(mount, f"its folder cannot be opened ({error.strerror})") from error
    try:
        present = set(os.listdir(folder))  # noqa: PTH208 - of the opened folder, not of a path
        for name in sorted(set(mount.files) - present):
            raise Altered(mount, f"{name} is missing")
        for name in sorted(present - set(mount.files)):
            raise Altered(mount, f"{name} was added to its folder")
        for name, expected in sorted(mount.files.items()):
            try:
                found = _verified_hash(folder, name, str(real / name))
            except OSError as error:
                raise Altered(mount, f"{name} cannot be read ({error.strerror or error})") from error
            if found != expected:
                raise Altered(mount, f"{name} was changed (its hash is {found[:12]}…, {expected[:12]}… was published)")
    finally:
        os.close(folder)


def mark_altered(db: Session, settings: Settings, altered: Altered, *, actor: str) -> RenditionVersion:
    """Takes an altered version out of use and records it, so that stewards see it and no decision gives it out."""
    path = os.path.relpath(altered.source, settings.data_root)
    version = db.scalars(
        select(RenditionVersion).where(
            RenditionVersion.rendition_id == altered.rendition,
            RenditionVersion.number == altered.version,
            RenditionVersion.path == path,
        )
    ).one_or_none()
    if version is None:
        raise NotFound(f"{altered.rendition} has no version {altered.version} at {path}.")
    if version.state == "published":
        version.state = "altered"
        details = {"version": altered.version, "project": version.project_id, "problem": altered.problem}
        changes.note(db, Act.DatasetAltered, actor=actor, subject=f"rendition:{altered.rendition}", details=details)
        touch(db)
    return version


def verify_or_mark(engine: Engine, settings: Settings, mount: Mounted, *, actor: str = "<spawner>") -> None:
    """`verify_mount`, and when a file was altered the version is marked and recorded before Altered is raised.

    Call it outside a transaction: it opens its own.
    """
    try:
        verify_mount(settings, mount)
    except Altered as altered:
        with writing(engine) as db:
            mark_altered(db, settings, altered, actor=actor)
        raise
