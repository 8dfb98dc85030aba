"""Deletion at the end of retention: files go, and a record says which, with their hashes.

Access is taken away first, then files are deleted, then the record is written: a crash in between leaves files without
a record (delete again), never a record of files that are still there. Copies in backups are the operator's to expire.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from access_control import changes, clock
from access_control.audit import Act
from access_control.data_permissions import require_steward
from access_control.database import reading, writing
from access_control.errors import Refused
from access_control.integrity import sha256_of
from access_control.models import DatasetVersion, Rendition, RenditionVersion, touch
from access_control.parquet_sink import remove_tree
from access_control.settings import Settings


@dataclass(frozen=True)
class Proof:
    """What was deleted: path below the data root -> SHA-256 as it was found; `path` is the record's own file."""

    files: dict[str, str]
    path: Path


def check_may_delete(db: Session, dataset_id: str, actor: str, *, before_retention: bool) -> None:
    """Raises NotPermitted or, when the retention date is not reached, Refused."""
    dataset = changes.get_dataset(db, dataset_id)
    require_steward(db, actor, dataset.owner_id, f"delete dataset {dataset_id}")
    due = dataset.retention_until
    if not before_retention and (due is None or clock.today() <= due):
        when = f"is kept until {due}" if due is not None else "has no retention date"
        raise Refused(f"Dataset {dataset_id} {when}. To delete it all the same, say so: --before-retention")


def delete_data(
    engine: Engine, settings: Settings, dataset_id: str, *, actor: str, reason: str, before_retention: bool = False
) -> Proof:
    """Deletes originals, renditions and the index of source rows of a dataset; returns the record.

    Sessions that mount it stop first. Call it outside a transaction. Raises NotFound, NotPermitted, Invalid, Refused.
    """
    with reading(engine) as db:
        check_may_delete(db, dataset_id, actor, before_retention=before_retention)
        why = changes.said(reason)
    with writing(engine) as db:
        _withdraw_all(db, dataset_id, actor, why)
    folders = [root / dataset_id for root in (settings.renditions, settings.datasets, settings.indexes)]
    files = {str(path.relative_to(settings.data_root)): _hash(path) for folder in folders for path in _files(folder)}
    for folder in folders:
        for inner in sorted(folder.rglob("*"), reverse=True):
            if inner.is_dir() and not inner.is_symlink():
                inner.chmod(0o700)
        remove_tree(folder)
    if left := [str(folder) for folder in folders if folder.exists()]:
        raise Refused(f"{left[0]} could not be deleted. Look at the folder, then delete the dataset again.")
    record = {
        "dataset": dataset_id, "deleted_at": clock.now().isoformat(), "actor": actor, "reason": why, "files": files,
    }  # fmt: skip
    path = _write_record(settings, dataset_id, record)
    with writing(engine) as db:
        for version in db.scalars(select(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id)):
            version.deleted_at = version.deleted_at or clock.now()
        changes.note(db, Act.DatasetDeleted, actor=actor, subject=f"dataset:{dataset_id}", details=record)
        touch(db)
    return Proof(files, path)


def _withdraw_all(db: Session, dataset_id: str, actor: str, reason: str) -> None:
    of_dataset = select(Rendition.id).where(Rendition.dataset_id == dataset_id)
    query = select(RenditionVersion).where(
        RenditionVersion.rendition_id.in_(of_dataset), RenditionVersion.state == "published"
    )
    for version in db.scalars(query):
        version.state = "withdrawn"
        details = {"version": version.number, "project": version.project_id, "before": "published", "reason": reason}
        subject = f"rendition:{version.rendition_id}"
        changes.note(db, Act.RenditionWithdrawn, actor=actor, subject=subject, details=details)
    touch(db)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _hash(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        return f"unreadable: {error.strerror or error}"


def _write_record(settings: Settings, dataset_id: str, record: dict[str, Any]) -> Path:
    folder = settings.audit / "deletions"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{dataset_id}-{clock.now():%Y%m%dT%H%M%SZ}.json"
    temporary = folder / f".{secrets.token_hex(8)}"
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(record, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    return path
