"""The snapshot: files of a workspace, copied into the store exactly once, with the hash of what was there.

What is reviewed is what leaves, so the copy must be of one moment: a file that changes while it is copied is refused.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from access_control.settings import Egress
from egress_review.beneath import check_regular, open_beneath, open_folder, open_regular
from egress_review.errors import Invalid, NotFound, Refused
from egress_review.names import MAX_DEPTH, check_distinct, check_name, matches
from egress_review.store import CHUNK, Store, write_all

MAX_VISITED = 20_000  # entries that a glob may walk past


@dataclass(frozen=True)
class WorkspaceFile:
    """A file that could be picked; `problem` says why it could not be submitted, empty when it could."""

    name: str
    size: int
    modified: datetime
    problem: str


@dataclass(frozen=True)
class Taken:
    """A file as it was put into the store."""

    name: str
    sha256: str
    size: int


def list_workspace(workspaces: Path, project: str, person: str) -> list[WorkspaceFile]:
    """The files of a workspace by name, without hidden ones; empty when the workspace is not there yet."""
    found: list[WorkspaceFile] = []
    try:
        with open_folder(workspaces, project, person) as folder:
            for name, status, problem in _walk(folder):
                if any(part.startswith(".") for part in name.split("/")):
                    continue
                shown = name.encode("utf-8", "backslashreplace").decode()
                modified = datetime.fromtimestamp(min(max(status.st_mtime, 0), 253402300799), tz=UTC)
                found.append(WorkspaceFile(shown, status.st_size, modified, problem))
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda file: file.name)


def expand(workspaces: Path, project: str, person: str, patterns: Sequence[str], limits: Egress) -> list[str]:
    """The names that `patterns` (files, folders, globs) stand for, sorted, each once.

    Raises Invalid for a pattern that matches nothing, and for more files than a request may have.
    """
    try:
        with open_folder(workspaces, project, person) as folder:
            entries = [(name, problem) for name, _, problem in _walk(folder)]
    except FileNotFoundError as error:
        raise NotFound(f"There is no workspace of {person} in {project} yet. Open a session first.") from error
    chosen: dict[str, str] = {}
    for pattern in patterns:
        wanted = pattern.strip().removeprefix("./").rstrip("/").split("/")
        hits = [
            (name, problem)
            for name, problem in entries
            if name.split("/") == wanted
            or matches(name.split("/"), wanted)
            or (name.split("/")[: len(wanted)] == wanted and matches(name.split("/"), [*wanted, "**", "*"]))
        ]
        if not hits:
            raise Invalid(
                f"Nothing in the workspace matches {pattern}. Give a file, a folder or a glob such as out/*.csv."
            )
        chosen.update(hits)
    for name, problem in chosen.items():
        check_name(name)
        if problem:
            raise Invalid(problem)
    if len(chosen) > limits.max_files:
        raise Invalid(f"These are {len(chosen)} files; a request may have {limits.max_files}. Make several requests.")
    check_distinct(chosen)
    return sorted(chosen)


def take(
    store: Store, workspaces: Path, project: str, person: str, names: Sequence[str], *, limits: Egress
) -> list[Taken]:
    """Copies the named files into the store; all of them or an error that says which and why.

    Blobs of a take that failed stay behind unreferenced: they are harmless, and the next take may need them.
    """
    if not names:
        raise Invalid("The request has no files. Add some first.")
    if len(names) > limits.max_files:
        raise Invalid(f"These are {len(names)} files; a request may have {limits.max_files}. Make several requests.")
    check_distinct(names)
    taken: list[Taken] = []
    left = limits.max_request_bytes
    try:
        with open_folder(workspaces, project, person) as folder:
            for name in names:
                with open_regular(folder, check_name(name)) as fd:
                    file = _copy(store, fd, name, limits)
                left -= file.size
                if left < 0:
                    raise Invalid(
                        f"The files are over {limits.max_request_bytes:,} bytes together. Make several requests."
                    )
                taken.append(file)
    except FileNotFoundError as error:
        raise NotFound(f"There is no workspace of {person} in {project}. Open a session first.") from error
    return taken


def _copy(store: Store, fd: int, name: str, limits: Egress) -> Taken:
    """Copies one open file; reads it twice, and looks at it before and after, to find a change in between."""
    before = os.fstat(fd)
    check_regular(name, before)
    if before.st_size > limits.max_file_bytes:
        raise Invalid(f"{name} has {before.st_size:,} bytes; a file may have {limits.max_file_bytes:,}.")
    if before.st_size and os.lseek(fd, 0, os.SEEK_HOLE) < before.st_size:
        raise Invalid(f"{name} has holes (a sparse file). Copy it with `cp --sparse=never` and submit the copy.")
    with store.staged() as (out, staging):
        first, size = hashlib.sha256(), 0
        for chunk in _chunks(fd, limits.max_file_bytes + 1):
            write_all(out, chunk)
            first.update(chunk)
            size += len(chunk)
        second = hashlib.sha256()
        for chunk in _chunks(fd, limits.max_file_bytes + 1):
            second.update(chunk)
        after = os.fstat(fd)
        if size != before.st_size or first.digest() != second.digest() or _marks(before) != _marks(after):
            raise Refused(f"{name} changed while it was copied. Let whatever writes it finish, then submit again.")
        store.keep(out, staging, first.hexdigest())
    return Taken(name, first.hexdigest(), size)


def _chunks(fd: int, most: int) -> Iterator[bytes]:
    """The file from its start, `most` bytes at the most: it may grow for ever while it is read."""
    place = 0
    while place < most and (chunk := os.pread(fd, min(CHUNK, most - place), place)):
        place += len(chunk)
        yield chunk


def _marks(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_nlink, status.st_mtime_ns, status.st_ctime_ns)


def _walk(folder: int, prefix: str = "", budget: list[int] | None = None) -> Iterator[tuple[str, os.stat_result, str]]:
    """Every entry that is no folder: name, lstat, and why it could not be submitted. No link is followed."""
    budget = budget if budget is not None else [MAX_VISITED]
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            budget[0] -= 1
            if budget[0] < 0:
                raise Invalid(
                    f"The workspace has over {MAX_VISITED:,} entries. Tidy it up, or name the files one by one."
                )
            name = prefix + entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if not entry.is_dir(follow_symlinks=False):
                yield name, status, _problem(name, status)
                continue
            if entry.name == ".ipynb_checkpoints" or name.count("/") >= MAX_DEPTH:
                continue
            try:
                inner = open_beneath(folder, entry.name, os.O_RDONLY | os.O_DIRECTORY)
            except OSError:
                continue  # swapped or closed to us meanwhile: what is in it cannot be picked
            try:
                yield from _walk(inner, name + "/", budget)
            finally:
                os.close(inner)


def _problem(name: str, status: os.stat_result) -> str:
    try:
        check_name(name)
        check_regular(name, status)
    except Invalid as error:
        return str(error)
    return ""
