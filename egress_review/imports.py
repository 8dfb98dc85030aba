"""The same road inwards: uploaded files are scanned, reviewed, and placed read-only into the author's workspace.

Code, models and reference tables come in this way. Data comes in as a dataset, with an owner and a tier
(`enclave dataset add`), not as a file.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from access_control import audit
from access_control.audit import Act
from access_control.database import writing
from access_control.settings import Profile, Settings
from egress_review import kinds, queue_rules
from egress_review.beneath import open_beneath, open_folder
from egress_review.errors import Invalid, NotFound, Refused, WrongState
from egress_review.findings import FileResult, Finding, verdict_of
from egress_review.gate import check_gate
from egress_review.models import RequestFile
from egress_review.names import check_distinct, check_name
from egress_review.permissions import caller, check_is_author, check_may_draft
from egress_review.policies import check_editable, editable_turn
from egress_review.records import get_release, get_request, rows_of, said
from egress_review.rules.catalogue import Rule
from egress_review.store import Store, write_all

FOLDER = "imports"
CLAMSCAN_SECONDS = 120
_EXECUTABLE = (
    (b"\x7fELF", "a program for Linux (ELF)"),
    (b"MZ", "a program for Windows"),
    (b"\xca\xfe\xba\xbe", "Java or macOS bytecode"),
    (b"\xcf\xfa\xed\xfe", "a program for macOS"),
    (b"\xfe\xed\xfa\xcf", "a program for macOS"),
    (b"\x00asm", "WebAssembly"),
    (b"!<arch>", "a library archive"),
)
_SECRETS = (
    (re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"), "a private key"),
    (re.compile(rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "a key of Amazon Web Services"),
    (re.compile(rb"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{60,}\b"), "a GitHub token"),
    (re.compile(rb"\bxox[abprs]-[A-Za-z0-9-]{20,}"), "a Slack token"),
    (re.compile(rb"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"), "a JSON web token"),
    (
        re.compile(rb"(?i)\b(?:password|passwd|secret|api[_-]?key|token)\b[\"']?\s*[:=]\s*[\"'][^\"'\s]{8,}[\"']"),
        "a password or token",
    ),
)
_DATA_KINDS = frozenset({"parquet", "feather", "statistics", "database"})


def upload(
    db: Session, settings: Settings, request_id: str, name: str, chunks: Iterable[bytes], *, context: str, actor: str
) -> RequestFile:
    """Takes an uploaded file into the holding store and adds it to an import that is being prepared."""
    request = get_request(db, request_id, lock=True)
    who = caller(db, settings, actor)
    check_is_author(who, request)
    check_may_draft(who, request.project_id)
    check_editable(request)
    if request.direction != "in":
        raise WrongState("Files of a release are picked from the workspace, not uploaded.")
    check_name(name)
    context = said(context, "What the file is, and where it comes from")
    turn = editable_turn(request)
    there = {file.name: file for file in rows_of(db, request, turn)}
    check_distinct([*there, name])
    if len({*there, name}) > settings.egress.max_files:
        raise Invalid(f"A request may have {settings.egress.max_files} files. Make several requests.")
    blob = Store(settings.store).put(_limited(chunks, name, settings.egress.max_file_bytes))
    if sum(file.size for file in there.values() if file.name != name) + blob.size > settings.egress.max_request_bytes:
        raise Invalid(
            f"The files are over {settings.egress.max_request_bytes:,} bytes together. Make several requests."
        )
    file = there.get(name)
    if file is None:
        file = RequestFile(request_id=request.id, turn=turn, name=name, since_turn=turn)
        db.add(file)
    file.context, file.sha256, file.size = context, blob.sha256, blob.size
    db.flush()
    details = {"step": "upload", "turn": turn, "file": name, "sha256": blob.sha256, "size": blob.size}
    audit.record(db, Act.RequestChanged, actor=actor, subject=f"request:{request.id}", details=details)
    return file


def _limited(chunks: Iterable[bytes], name: str, most: int) -> Iterator[bytes]:
    left = most
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise Invalid(f"{name} is over {most:,} bytes. Split it, or ask an admin to raise egress.max_file_bytes.")
        yield chunk


def check_uploads(settings: Settings, files: Sequence[tuple[Path, str]], profile: Profile) -> list[FileResult]:
    """Looks for programs, secrets, malware (where ClamAV is installed) and data in disguise; one result a file."""
    del settings
    return [_check_upload(path, name, profile) for path, name in files]


def _check_upload(path: Path, name: str, profile: Profile) -> FileResult:
    data = path.read_bytes()
    ending = Path(name).suffix.lower()
    kind = next((each.id for each in kinds.KINDS.values() if ending and ending in each.endings), "unknown")
    found = [rule.found(name, message) for rule, message in _scan(data, ending, kind, profile)]
    found += _clamscan(path, name)
    return FileResult(name, verdict_of(found), found, kind, {"size": len(data)})


def _scan(data: bytes, ending: str, kind: str, profile: Profile) -> Iterator[tuple[Rule, str]]:
    for magic, what in _EXECUTABLE:
        if data.startswith(magic):
            yield queue_rules.EXECUTABLE, f"It is {what}."
    if data.startswith(b"#!"):
        yield queue_rules.SCRIPT, "It is a script that can be run."
    if kind == "pickle" or (data[:1] == b"\x80" and data[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}):
        yield queue_rules.PICKLE, "It is a pickle: loading it can run anything."
    if kind in {"archive", "zip"} or data.startswith((b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf")):
        yield queue_rules.ARCHIVE, "It is an archive, which hides what is in it."
    for pattern, what in _SECRETS:
        if pattern.search(data):
            yield queue_rules.SECRET, f"It holds what looks like {what}."
    lines = data.count(b"\n")
    if kind in _DATA_KINDS or (ending in {".csv", ".tsv", ".jsonl"} and lines > profile.max_rows):
        yield queue_rules.DATA, "It is data."


def _clamscan(path: Path, name: str) -> list[Finding]:
    """What ClamAV says; where it is not installed a finding says so, and one that fails is no pass."""
    program = shutil.which("clamscan")
    if program is None:
        message = "ClamAV is not installed, so nobody looked for known malware."
        return [queue_rules.MALWARE.found(name, message, severity="informs")]
    try:
        run = subprocess.run(
            [program, "--no-summary", "--stdout", str(path)],
            capture_output=True,
            timeout=CLAMSCAN_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [queue_rules.MALWARE.found(name, f"ClamAV did not answer: {error}.")]
    if run.returncode == 0:
        return []
    known = run.returncode == 1
    return [queue_rules.MALWARE.found(name, "ClamAV knows it as malware." if known else "ClamAV could not scan it.")]


def place(engine: Engine, settings: Settings, release_id: str, *, actor: str) -> list[str]:
    """Writes an approved import into the workspace of its author, below `imports/<request>/`, read-only.

    Everything is verified as at a download. Files that are there with the same name are replaced. Returns their paths.
    """
    with writing(engine) as db:
        release = get_release(db, release_id)
        proven = check_gate(db, settings, release, person=actor, direction="in")
        request = get_request(db, release.request_id)
        store = Store(settings.store)
        try:
            with open_folder(settings.workspaces, request.project_id, request.author_id) as workspace:
                placed = [
                    _place_one(
                        workspace, (FOLDER, request.id.lower()), each.released.name, store.read(each.released.sha256)
                    )
                    for each in proven
                ]
        except FileNotFoundError as error:
            raise NotFound("There is no workspace yet. Open a session first.") from error
        except OSError as error:
            raise Refused(
                f"The workspace does not take the files: {error.strerror}. Move {FOLDER}/ away first."
            ) from error
        details = {"placed": placed, "request": request.id}
        audit.record(db, Act.ReleaseDownloaded, actor=actor, subject=f"release:{release.id}", details=details)
    return placed


def _place_one(workspace: int, folder: Sequence[str], name: str, data: bytes) -> str:
    """Writes one file beneath the open workspace; the researcher owns it and may have put links anywhere."""
    parts = [*folder, *name.split("/")]
    owner = os.fstat(workspace)
    here = os.dup(workspace)
    try:
        for part in parts[:-1]:
            try:
                os.mkdir(part, 0o755, dir_fd=here)
                os.chown(part, owner.st_uid, owner.st_gid, dir_fd=here, follow_symlinks=False)
            except FileExistsError:
                pass  # open_beneath refuses it below when it is a link
            inner = open_beneath(here, part, os.O_RDONLY | os.O_DIRECTORY)
            os.close(here)
            here = inner
        staging = f".import-{uuid.uuid4().hex}"
        fd = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o444, dir_fd=here)
        try:
            write_all(fd, data)
            os.fchmod(fd, 0o444)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(staging, parts[-1], src_dir_fd=here, dst_dir_fd=here)
        os.fsync(here)
    finally:
        os.close(here)
    return "/".join(parts)
