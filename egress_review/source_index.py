"""The keyed index of a dataset's rows, built at ingest; as sensitive as the data, never mounted."""

from __future__ import annotations

from pathlib import Path

from access_control.settings import Settings


def build_index(settings: Settings, dataset_id: str, version: int, parquet_path: Path) -> Path:
    """Builds `settings.indexes/<dataset>/v<version>/` from the Parquet file and returns that folder.

    Raises Refused when the file cannot be read. Written beside and renamed: there is a whole index or none.
    """
    raise NotImplementedError


def has_index(settings: Settings, dataset_id: str, version: int) -> bool:
    """Whether a readable index of this version is there."""
    raise NotImplementedError
