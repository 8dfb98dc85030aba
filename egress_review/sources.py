"""Which data a request's figures can be computed again from: the renditions that the author's sessions had mounted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from access_control.data_package import DATA_FILE
from access_control.models import RenditionVersion
from access_control.settings import Settings


@dataclass(frozen=True)
class Source:
    """A Parquet file and how findings call it. `unit` is the column that tells whose row it is, if one does."""

    name: str
    path: Path
    unit: str = ""


def unit_of(columns: Iterable[dict[str, Any]]) -> str:
    """The column of a rendition's dictionary that is declared to be the unit; empty where none is."""
    return next((str(column["name"]) for column in columns if column.get("unit")), "")


def sources_of(db: Session, settings: Settings, mounts: Iterable[dict[str, Any]], project: str) -> list[Source]:
    """The data behind the mounts of a request, each version once, also those whose files are gone."""
    found: dict[str, Source] = {}
    for mount in mounts:
        rendition, number = str(mount["rendition"]), int(mount["version"])
        version = db.scalar(
            select(RenditionVersion).where(
                RenditionVersion.rendition_id == rendition,
                RenditionVersion.number == number,
                or_(RenditionVersion.project_id.is_(None), RenditionVersion.project_id == project),
            )
        )
        if version is not None:
            name = f"{rendition} v{number}"
            path = settings.data_root / version.path / DATA_FILE
            found[name] = Source(name, path, unit_of(version.columns))
    return [found[name] for name in sorted(found)]
