"""Ingest: a CSV or Parquet file becomes an immutable version of a dataset, or is refused whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy.orm import Session

from access_control.models import DatasetVersion
from access_control.settings import Settings

Progress = Callable[[str, float], None]  # (what is done, share done from 0 to 1)


@dataclass(frozen=True)
class StagedDataset:
    """A file that was read, converted and hashed, waiting in a staging folder for its row in the database."""

    dataset_id: str
    folder: Path
    sha256: str
    rows: int
    columns: tuple[dict[str, str], ...]
    source_name: str
    source_sha256: str


def stage_dataset(
    settings: Settings,
    file: Path,
    *,
    id: str,  # noqa: A002 - the word of the command line
    column_descriptions: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    missing: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> StagedDataset:
    """Reads `file` into a staging folder, without the database: minutes of work need no transaction.

    Raises Invalid with the line and what is wrong with it; nothing is left behind.
    """
    raise NotImplementedError


def add_dataset(
    db: Session,
    settings: Settings,
    file: Path | StagedDataset,
    *,
    id: str,  # noqa: A002
    owner: str,
    tier: int,
    title: str,
    actor: str,
    description: str = "",
    licence: str = "",
    citation: str = "",
    permitted_use: Sequence[str] = (),
    required_trainings: Sequence[str] = (),
    embargo_until: date | None = None,
    retention_until: date | None = None,
    egress_profile: str = "default",
    column_descriptions: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    missing: Sequence[str] | None = None,
    progress: Progress | None = None,
    after: Callable[[DatasetVersion, Path], None] | None = None,
) -> DatasetVersion:
    """Adds a dataset, or a new version of one that is there; the caller commits, and a rollback removes the files.

    `after` is called with the version and the path of its data.parquet once the files are in place (the hub builds the
    index of source rows with it); when it raises, nothing is added. `actor` is a steward of the owner or "<setup>".
    Raises Invalid (file, id, tier), NotFound (owner), NotPermitted, Refused (the dataset has another owner or tier).
    """
    raise NotImplementedError
