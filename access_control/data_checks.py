"""Hashes every stored file of data again: originals and published renditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from access_control import changes
from access_control.audit import Act
from access_control.data_package import DATA_FILE
from access_control.database import reading, writing
from access_control.errors import Refused
from access_control.integrity import Altered, mark_altered, sha256_of, verify_mount
from access_control.models import DatasetVersion, Rendition, RenditionVersion
from access_control.settings import Settings


@dataclass(frozen=True)
class _Stored:
    """A published version, as `verify_mount` reads one."""

    rendition: str
    version: int
    source: str
    files: dict[str, str]


def verify_data(
    engine: Engine, settings: Settings, dataset_id: str | None, progress: Callable[[str, float], None]
) -> tuple[list[str], int]:
    """Checks every version of one dataset, or of all; returns a sentence for each fault, and how many were looked at.

    A published version that was altered is taken out of use, and every fault is recorded for the stewards.
    """
    with reading(engine) as db:
        if dataset_id is not None:
            changes.get_dataset(db, dataset_id)
        originals, published = _originals(db, dataset_id), _published(db, settings, dataset_id)
    problems: list[str] = []
    total = len(originals) + len(published)
    for done, (name, number, path, expected) in enumerate(originals):
        progress(f"hashing {name}", done / total)
        if problem := _original_fault(settings, path, expected):
            problems.append(f"{name} version {number}: {problem}. Restore it from the backup, or add the file again.")
            with writing(engine) as db:
                details = {"dataset_version": number, "problem": problem}
                changes.note(db, Act.DatasetAltered, actor="<verify>", subject=f"dataset:{name}", details=details)
    for done, stored in enumerate(published, start=len(originals)):
        progress(f"hashing {stored.rendition}", done / total)
        try:
            verify_mount(settings, stored)
        except Altered as altered:
            problems.append(str(altered))
            with writing(engine) as db:
                mark_altered(db, settings, altered, actor="<verify>")
        except Refused as refused:
            problems.append(str(refused))
    return problems, total


def _original_fault(settings: Settings, path: str, expected: str) -> str:
    try:
        found = sha256_of(settings.data_root / path / DATA_FILE)
    except OSError as error:
        return f"{DATA_FILE} cannot be read ({error.strerror or error})"
    return "" if found == expected else f"{DATA_FILE} was changed"


def _originals(db: Session, dataset_id: str | None) -> list[tuple[str, int, str, str]]:
    query = select(DatasetVersion).where(DatasetVersion.deleted_at.is_(None)).order_by(DatasetVersion.id)
    if dataset_id is not None:
        query = query.where(DatasetVersion.dataset_id == dataset_id)
    return [(one.dataset_id, one.number, one.path, one.sha256) for one in db.scalars(query)]


def _published(db: Session, settings: Settings, dataset_id: str | None) -> list[_Stored]:
    query = select(RenditionVersion).where(RenditionVersion.state == "published").order_by(RenditionVersion.id)
    if dataset_id is not None:
        of_dataset = select(Rendition.id).where(Rendition.dataset_id == dataset_id)
        query = query.where(RenditionVersion.rendition_id.in_(of_dataset))
    return [
        _Stored(one.rendition_id, one.number, str(settings.data_root / one.path), one.files)
        for one in db.scalars(query)
    ]
