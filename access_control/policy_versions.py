"""The versions of the policy: each kept whole, each chained to the one before by its digest."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from access_control import changes, clock
from access_control.errors import NotFound
from access_control.models import PolicyRow, PolicyVersion, touch
from access_control.rows import NO_AGREEMENT
from access_control.validation import COLUMNS

_FOLDER = Path(__file__).parent


def row_values(row: PolicyRow) -> dict[str, str]:
    """A row as text, by the names of COLUMNS; `agreement` is `none` where no agreement made it."""
    values = {name: getattr(row, "agreement_id" if name == "agreement" else name) for name in COLUMNS}
    return {name: NO_AGREEMENT if value is None else str(value) for name, value in values.items()}


def rows_text(rows: Iterable[PolicyRow]) -> str:
    """CSV of the rows with a header, sorted by id: the same rows are always the same text."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted((row_values(row) for row in rows), key=lambda values: values["id"]))
    return out.getvalue()


def parse_rows(text: str) -> list[dict[str, str]]:
    """What `rows_text` wrote, as a list of column -> value."""
    return list(csv.DictReader(io.StringIO(text)))


def model_digest() -> str:
    """SHA-256 over the model and the standing rows that this installation decides with."""
    parts = (hashlib.sha256((_FOLDER / name).read_bytes()).digest() for name in ("model.conf", "standing.csv"))
    return hashlib.sha256(b"".join(parts)).hexdigest()


def version_digest(before: str, model: str, rows: str) -> str:
    """The digest of a version: SHA-256 over the digest before, the model's and the rows, a line feed after each."""
    return hashlib.sha256(f"{before}\n{model}\n{rows}\n".encode()).hexdigest()


def write_version(db: Session, *, reason: str, proposed_by: str, approved_by: str | None) -> PolicyVersion:
    """Keeps the rows as they now stand as the next version, and counts the change; the caller audits it."""
    changes.queue(db)
    db.flush()
    number = db.execute(select(func.max(PolicyVersion.number))).scalar() or 0
    before = get_version(db, number).digest if number else ""
    rows, model = rows_text(db.scalars(select(PolicyRow))), model_digest()
    version = PolicyVersion(
        number=number + 1, digest=version_digest(before, model, rows), model=model, rows=rows, reason=reason,
        proposed_by=proposed_by, approved_by=approved_by, at=clock.now(),
    )  # fmt: skip
    db.add(version)
    touch(db)
    return version


def get_version(db: Session, number: int) -> PolicyVersion:
    """The version of that number; raises NotFound."""
    version = db.get(PolicyVersion, number)
    if version is None:
        raise NotFound(f"There is no policy version {number}. `enclave policy versions` lists those that there are.")
    return version


def list_versions(db: Session) -> list[PolicyVersion]:
    """Every version that was ever in force, the oldest first."""
    return list(db.scalars(select(PolicyVersion).order_by(PolicyVersion.number)))


def verify_versions(db: Session) -> list[str]:
    """What is wrong with the chain of versions, a sentence each; empty when it holds, up to the rows in force."""
    problems: list[str] = []
    before, text = "", rows_text([])
    for expected, version in enumerate(list_versions(db), start=1):
        if version.number != expected:
            problems.append(f"Version {expected} is missing: the next one is {version.number}.")
            break
        if version.digest != version_digest(before, version.model, version.rows):
            problems.append(
                f"Version {version.number} is not what its digest says: it, or the one before, was altered."
            )
        before, text = version.digest, version.rows
    if not problems and rows_text(db.scalars(select(PolicyRow))) != text:
        problems.append("The rows in force are not those of the last version: they were altered outside the enclave.")
    return problems
