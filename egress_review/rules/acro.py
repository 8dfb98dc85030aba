"""ACRO's results.json: read as a claim, shown, and checked again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from egress_review import tables
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule

CLAIM = rule(
    "acro.claim",
    "informs",
    "A record of ACRO",
    source="ACRO 1.0: results.json",
    why="The researcher's side has run ACRO; its statuses are a claim, not a decision.",
    remedy="Nothing to do: each output is checked again here.",
)
FAILED = rule(
    "acro.failed",
    "blocks",
    "ACRO says that an output fails",
    source="ACRO: status fail",
    why="The researcher's own check failed.",
    remedy="Suppress or change that output, and finalise again.",
)
REVIEW = rule(
    "acro.review",
    "warns",
    "ACRO asks for a review, or an exception is claimed",
    source="ACRO: status review, exception",
    why="A person has to judge the reason that is given.",
    remedy="Give a reason for each exception.",
)
MISSING = rule("acro.missing", "warns", "A file that ACRO names is not in the request", source="ACRO: files and checksums",
    why="The record cannot be checked against its outputs.", remedy="Add every file that results.json names, with its checksums.")  # fmt: skip


CHANGED = rule("acro.changed", "blocks", "Not the file that ACRO checked", source="ACRO: checksums",
    why="The file was changed after ACRO wrote its checksum, so ACRO's record says nothing of it.",
    remedy="Finalise with ACRO again, or leave its record out.")  # fmt: skip


def record(value: Any) -> dict[str, Any] | None:
    """The outputs of an ACRO record, or None when this JSON is none."""
    if (
        isinstance(value, dict)
        and isinstance(value.get("results"), dict)
        and ("version" in value or "acro_version" in value)
    ):
        return dict(value["results"])
    return None


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in a results.json, and in a file that a record of ACRO has the checksum of."""
    if subject.claim and hashlib.sha256(subject.data).hexdigest() != subject.claim:
        yield CHANGED.found(
            subject.name, f"Its SHA-256 does not begin with {subject.claim[:12]} as ACRO's record says."
        )
    if subject.kind != "json":
        return
    try:
        outputs = record(tables.load_json(subject.data))
    except ValueError:
        return
    if outputs is None:
        return
    folder = subject.name.rsplit("/", 1)[0] + "/" if "/" in subject.name else ""
    summed = any(peer.startswith(f"{folder}checksums/") for peer in subject.peers)
    checksums = "its checksums are compared with the files" if summed else "it came without checksums"
    yield CLAIM.found(subject.name, f"ACRO's record of {many(len(outputs), 'output', 'outputs')}; {checksums}.")
    claims = []
    for name, output in outputs.items():
        if not isinstance(output, dict):
            continue
        status = str(output.get("status", "?"))
        claims.append(
            {"output": str(name)[:80], "status": status[:20], "summary": str(output.get("summary", ""))[:200]}
        )
        if status == "fail" or re.match(r"\s*fail", str(output.get("summary", "")), re.IGNORECASE):
            excused = bool(output.get("exception"))
            yield FAILED.found(
                f"{subject.name}: {name}",
                f"{str(output.get('summary', 'fail'))[:200]}",
                severity="warns" if excused and status != "fail" else None,
            )
        elif status == "review" or output.get("exception"):
            yield REVIEW.found(
                f"{subject.name}: {name}",
                f"{str(output.get('summary', ''))[:120]} {str(output.get('exception', ''))[:120]}".strip()
                or "The status is review.",
            )
        for entry in output.get("files", []) or []:
            file = str(entry.get("name", "")) if isinstance(entry, dict) else ""
            if file and folder + file not in subject.peers and file not in subject.peers:
                yield MISSING.found(f"{subject.name}: {name}", f"{file[:80]!r} is not among the files.")
    subject.facts["acro"] = claims[:100]
