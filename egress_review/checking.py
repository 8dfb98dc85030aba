"""The checks of files that ask to leave: one call, each file in a sandboxed process of its own."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from access_control.settings import Profile, Settings
from egress_review import kinds, sandbox
from egress_review.errors import Invalid
from egress_review.findings import FileResult, Finding, finding_from, verdict_of
from egress_review.rules import dominance, outcome
from egress_review.rules import files as file_rules
from egress_review.source_index import folder_of, has_index
from egress_review.sources import Source


def check_files(
    settings: Settings,
    files: Sequence[tuple[Path, str]],
    *,
    profile: Profile,
    datasets: Sequence[tuple[str, int]] = (),
    peers: Sequence[str] | None = None,
    index_folders: Sequence[Path] = (),
    sources: Sequence[Source] = (),
) -> list[FileResult]:
    """Checks `files`, pairs of (path on disk, name as the researcher gave it), in order.

    `datasets` are (dataset id, version) whose rows are looked for; one without an index gives verdict `unknown`.
    `peers` are the names of all files of the request (default: those of `files`), for rules that look beside a file.
    `index_folders` are further indexes, made for this check alone. `sources` are the data that figures are computed
    again from; the author must have been able to read all of it (see `egress_review.source_table`).
    Never raises for what is in a file: a crash, a bomb or a timeout of a check is a finding that blocks.
    """
    names = list(peers) if peers is not None else [name for _, name in files]
    present = [
        folder_of(settings, dataset, version) for dataset, version in datasets if has_index(settings, dataset, version)
    ]
    missing = [
        f"{dataset} v{version}{_outdated(settings, dataset, version)}"
        for dataset, version in datasets
        if not has_index(settings, dataset, version)
    ]
    folders = [str(folder) for folder in [*present, *index_folders]]
    claims, right = _claims(settings, files)
    task = {
        "do": "check",
        "profile": profile.model_dump(),
        "peers": names,
        "indexes": folders,
        "sources": [{"path": str(s.path), "name": s.name, "unit": s.unit} for s in sources if s.path.is_file()],
        "claims": claims,
        "right": right,
    }

    gone = [source.name for source in sources if not source.path.is_file()]

    def one(pair: tuple[Path, str]) -> FileResult:
        return _complete(_check_one(settings, pair[0], pair[1], task), missing, gone)

    if len(files) < 2:
        return [one(pair) for pair in files]
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(one, files))


_CHECKSUM = re.compile(r"((?:.*/)?)checksums/([^/]+)\.txt")


def _claims(settings: Settings, files: Sequence[tuple[Path, str]]) -> tuple[dict[str, str], list[str]]:
    """What ACRO's checksum files say of the files beside them, name → SHA-256; and which of them are right."""
    claims: dict[str, str] = {}
    right: list[str] = []
    paths = {name: path for path, name in files}
    for path, name in files:
        match = _CHECKSUM.fullmatch(name)
        told = _bytes(path, 200) if match else None
        if match is None or told is None or not re.fullmatch(rb"\s*[0-9a-fA-F]{64}\s*", told):
            continue
        of = match[1] + match[2]
        claims[of] = told.strip().lower().decode()
        data = _bytes(paths[of], settings.egress.max_file_bytes) if of in paths else None
        if data is not None and hashlib.sha256(data).hexdigest() == claims[of]:
            right.append(name)
    return claims, right


def _bytes(path: Path, most: int) -> bytes | None:
    """The bytes of a plain file of at most `most`; None for anything else, of which the file's own check tells."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(descriptor)
        return opened.read(most + 1) if stat.S_ISREG(found.st_mode) and found.st_size <= most else None


def _outdated(settings: Settings, dataset: str, version: int) -> str:
    there = folder_of(settings, dataset, version).is_dir()
    return " (there is one that is damaged or of an older format)" if there else ""


def disk_facts(descriptor: int) -> dict[str, Any]:
    """What the file system says of an entry, besides its bytes; raises nothing."""
    found = os.fstat(descriptor)
    facts: dict[str, Any] = {"size": found.st_size, "blocks": found.st_blocks, "links": found.st_nlink}
    facts["special"] = not stat.S_ISREG(found.st_mode)
    try:
        facts["attributes"] = [
            name
            for name in os.listxattr(descriptor)
            if name not in ("security.selinux", "security.ima", "security.evm")
        ]
    except OSError:
        facts["attributes"] = []
    try:
        facts["holes"] = (
            stat.S_ISREG(found.st_mode) and found.st_size > 0 and os.lseek(descriptor, 0, os.SEEK_HOLE) < found.st_size
        )
    except OSError:
        facts["holes"] = True
    return facts


def _result(
    name: str, findings: list[Finding], kind: str = "unknown", facts: dict[str, Any] | None = None
) -> FileResult:
    return FileResult(name, verdict_of(findings), findings, kind, facts or {})


def _check_one(settings: Settings, path: Path, name: str, task: dict[str, Any]) -> FileResult:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return _result(name, [file_rules.LINK.found(name, "This is a symbolic link, not a file.")])
        if error.errno == errno.ENXIO:
            return _result(name, [file_rules.SPECIAL.found(name, "This is a socket or device.")])
        return FileResult(
            name, "unknown", [outcome.CRASH.found(name, f"The file cannot be opened: {error.strerror}.")], "unknown"
        )
    try:
        disk = disk_facts(descriptor)
        if disk["special"]:
            return _result(name, [file_rules.SPECIAL.found(name, "This is a device, a pipe, a socket or a folder.")])
        if disk["size"] > settings.egress.max_file_bytes:
            message = f"The file has {disk['size']} bytes; at most {settings.egress.max_file_bytes} may leave."
            return _result(name, [outcome.SIZE.found(name, message)], facts={"bytes": disk["size"]})
        answer = sandbox.run({**task, "name": name, "disk": disk}, descriptor, sandbox.limits_of(settings))
    finally:
        os.close(descriptor)
    if answer.failure:
        return _failed(name, answer)
    try:
        return _judge(name, answer.values)
    except (Invalid, KeyError, TypeError, ValueError, AttributeError):
        return _result(name, [outcome.CRASH.found(name, "The check gave an answer that makes no sense.")])


def _judge(name: str, values: dict[str, Any]) -> FileResult:
    """The worker's answer, believed in no more than its shape: the verdict is drawn again from the findings."""
    kind = str(values["kind"])
    if kind not in kinds.KINDS or not isinstance(values["facts"], dict) or len(values["findings"]) > 1000:
        raise Invalid("The answer of a check has an unknown kind or too much in it.")
    return _result(name, [finding_from(entry) for entry in values["findings"]], kind, values["facts"])


def _failed(name: str, answer: sandbox.Answer) -> FileResult:
    detail = f" ({answer.detail})" if answer.detail else ""
    messages = {
        "time": (outcome.TIME, "The check was stopped at its time limit."),
        "memory": (outcome.MEMORY, "The check needed more memory than it may have."),
        "size": (outcome.SIZE, "The check gave more findings than can be taken in."),
    }
    if answer.failure in ("isolation", "index"):
        what = (
            "The sandbox could not be set up"
            if answer.failure == "isolation"
            else "An index of source rows could not be opened"
        )
        return FileResult(
            name, "unknown", [outcome.ISOLATION.found(name, f"{what}; the file was not read{detail}.")], "unknown"
        )
    rule, message = messages.get(answer.failure, (outcome.CRASH, f"The check broke off{detail}."))
    return _result(name, [rule.found(name, message)])


def _complete(result: FileResult, missing: list[str], gone: list[str]) -> FileResult:
    findings = list(result.findings)
    if gone and result.facts.get("tables"):
        why = f"The data of {', '.join(gone)} is not there any more: no cell was computed again from it."
        findings.append(dominance.UNSEEN.found(result.path, why))
    if missing:
        why = f"No index of source rows for {', '.join(missing)}: the file was not compared with that data."
        findings.append(outcome.NO_INDEX.found(result.path, why))
    if len(findings) == len(result.findings):
        return result
    verdict = verdict_of(findings)
    if result.verdict == "unknown" or (missing and verdict != "block"):
        verdict = "unknown"
    return replace(result, findings=findings, verdict=verdict)
