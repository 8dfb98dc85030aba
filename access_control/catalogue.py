"""The catalogue: what a researcher may know of a dataset before any grant. Never a value of the data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control.errors import NotFound
from access_control.models import Dataset, DatasetVersion, Organisation, Rendition, RenditionVersion


@dataclass(frozen=True)
class Column:
    """A column of the dictionary: `type` is a Frictionless type (integer, number, string, date, …)."""

    name: str
    type: str
    description: str
    treatment: str = ""  # what the rendition does to it, in words


@dataclass(frozen=True)
class RenditionEntry:
    """One rendition in the catalogue; `version` is None until it was materialised for anybody."""

    id: str
    title: str
    description: str
    tier: int
    per_project: bool
    version: int | None
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Entry:
    """One dataset in the catalogue."""

    id: str
    title: str
    description: str
    owner_id: str
    owner: str
    tier: int
    licence: str
    citation: str
    permitted_use: tuple[str, ...]
    required_trainings: tuple[str, ...]
    embargo_until: date | None
    retention_until: date | None
    version: int | None
    rows_about: str  # "about 4,800": rounded, since the exact number of people can itself be disclosive
    columns: tuple[Column, ...]
    renditions: tuple[RenditionEntry, ...]


def list_datasets(db: Session) -> list[Entry]:
    """Every dataset, by id."""
    raise NotImplementedError


def describe(db: Session, dataset_id: str) -> Entry:
    """One dataset; raises NotFound."""
    raise NotImplementedError


def dcat(db: Session, base_url: str) -> dict[str, Any]:
    """The whole catalogue as DCAT 3 in JSON-LD; `base_url` is where the portal shows a dataset, `<base_url>/<id>`."""
    raise NotImplementedError


def dcat_dataset(entry: Entry, base_url: str) -> dict[str, Any]:
    """One dataset as a `dcat:Dataset` in JSON-LD."""
    raise NotImplementedError
