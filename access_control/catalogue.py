"""The catalogue: what a researcher may know of a dataset before any grant. Never a value of the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control.errors import NotFound
from access_control.models import Dataset, DatasetVersion, Organisation, Rendition, RenditionVersion
from access_control.rendition_parser import parse
from access_control.rendition_spec import declared_columns


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
    return [_entry(db, dataset) for dataset in db.scalars(select(Dataset).order_by(Dataset.id))]


def describe(db: Session, dataset_id: str) -> Entry:
    """One dataset; raises NotFound."""
    dataset = db.get(Dataset, dataset_id)
    if dataset is None:
        raise NotFound(f"There is no dataset {dataset_id!r} in the catalogue.")
    return _entry(db, dataset)


def _about(rows: int) -> str:
    if rows < 1000:
        return "fewer than 1,000"
    step = 10 ** (len(str(rows)) - 2)
    return f"about {round(rows / step) * step:,}"


def _columns(rows: Iterable[Mapping[str, Any]]) -> tuple[Column, ...]:
    return tuple(Column(r["name"], r["type"], r.get("description", ""), r.get("treatment", "")) for r in rows)


def _rendition(db: Session, rendition: Rendition) -> RenditionEntry:
    newest = db.scalars(
        select(RenditionVersion)
        .where(RenditionVersion.rendition_id == rendition.id, RenditionVersion.state == "published")
        .order_by(RenditionVersion.number.desc())
        .limit(1)
    ).first()
    columns: Iterable[Mapping[str, Any]] = newest.columns if newest is not None else ()
    spec = parse(rendition.spec, rendition.id)
    if newest is None:
        # Keyed by project and granted to none so far: what it will hold follows from its declaration.
        version = _newest(db, rendition.dataset_id)
        columns = declared_columns(spec, version.columns) if version is not None else ()
    return RenditionEntry(
        id=rendition.id, title=rendition.title, description=spec.description, tier=rendition.tier,
        per_project=rendition.per_project, version=newest.number if newest is not None else None,
        columns=_columns(columns),
    )  # fmt: skip


def _newest(db: Session, dataset_id: str) -> DatasetVersion | None:
    return db.scalars(
        select(DatasetVersion)
        .where(DatasetVersion.dataset_id == dataset_id, DatasetVersion.deleted_at.is_(None))
        .order_by(DatasetVersion.number.desc())
        .limit(1)
    ).first()


def _entry(db: Session, dataset: Dataset) -> Entry:
    version = _newest(db, dataset.id)
    owner = db.get(Organisation, dataset.owner_id)
    renditions = db.scalars(select(Rendition).where(Rendition.dataset_id == dataset.id).order_by(Rendition.id))
    return Entry(
        id=dataset.id, title=dataset.title, description=dataset.description, owner_id=dataset.owner_id,
        owner=owner.title if owner is not None else dataset.owner_id, tier=dataset.tier, licence=dataset.licence,
        citation=dataset.citation, permitted_use=tuple(dataset.permitted_use),
        required_trainings=tuple(dataset.required_trainings), embargo_until=dataset.embargo_until,
        retention_until=dataset.retention_until, version=version.number if version is not None else None,
        rows_about=_about(version.rows) if version is not None else "",
        columns=_columns(version.columns if version is not None else ()),
        renditions=tuple(_rendition(db, rendition) for rendition in renditions),
    )  # fmt: skip


_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "odrl": "http://www.w3.org/ns/odrl/2/",
}


def dcat(db: Session, base_url: str) -> dict[str, Any]:
    """The whole catalogue as DCAT 3 in JSON-LD; `base_url` is where the portal shows a dataset, `<base_url>/<id>`."""
    datasets = [dcat_dataset(entry, base_url) for entry in list_datasets(db)]
    for dataset in datasets:
        del dataset["@context"]
    return {
        "@context": _CONTEXT,
        "@id": base_url,
        "@type": "dcat:Catalog",
        "dct:title": "Catalogue of the enclave",
        "dcat:dataset": datasets,
    }


def dcat_dataset(entry: Entry, base_url: str) -> dict[str, Any]:
    """One dataset as a `dcat:Dataset` in JSON-LD; its distributions are the renditions, without a download address."""
    address = f"{base_url.rstrip('/')}/{entry.id}"
    value: dict[str, Any] = {
        "@context": _CONTEXT,
        "@id": address,
        "@type": "dcat:Dataset",
        "dct:identifier": entry.id,
        "dct:title": entry.title,
        "dct:description": entry.description,
        "dct:publisher": {"@type": "foaf:Organization", "foaf:name": entry.owner},
        "dct:accessRights": {"@type": "dct:RightsStatement", "dct:description": access_words(entry.tier)},
        "dcat:landingPage": {"@id": address},
        "dcat:distribution": [
            {
                "@id": f"{address}#{rendition.id.partition('/')[2]}",
                "@type": "dcat:Distribution",
                "dct:title": rendition.title,
                "dct:description": rendition.description,
                "dcat:mediaType": "application/vnd.apache.parquet",
                "dcat:accessURL": {"@id": address},
            }
            for rendition in entry.renditions
        ],
    }
    optional = {
        "dct:bibliographicCitation": entry.citation,
        "dct:license": {"@type": "dct:LicenseDocument", "dct:title": entry.licence} if entry.licence else None,
        "dcat:version": str(entry.version) if entry.version is not None else None,
        "dct:available": entry.embargo_until.isoformat() if entry.embargo_until else None,
        "odrl:hasPolicy": [{"@type": "odrl:Offer", "odrl:action": term} for term in entry.permitted_use],
    }
    value.update({key: item for key, item in optional.items() if item})
    return value


def access_words(tier: int) -> str:
    """What a tier means, in a word or two."""
    return ("open", "open on request", "controlled", "restricted", "highly restricted")[tier]
