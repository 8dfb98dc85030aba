"""Ingest: a CSV or Parquet file becomes an immutable version of a dataset, or is refused whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from access_control import changes, clock, data_package
from access_control.audit import Act
from access_control.data_permissions import require_steward
from access_control.dataset_facts import check_profile, check_tier
from access_control.errors import Invalid, NotFound, Refused
from access_control.integrity import sha256_of
from access_control.models import Dataset, DatasetVersion, Organisation, touch
from access_control.parquet_sink import ParquetSink, remove_tree, settle, staging_folder, write_file
from access_control.readers import CsvFile, Reading, Undecided, csv_file, infer_types, read_csv, read_parquet
from access_control.settings import Settings

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

Progress = Callable[[str, float], None]  # (what is done, share done from 0 to 1)


@dataclass(frozen=True)
class StagedDataset:
    """A file that was read, converted and hashed, waiting in a staging folder for its row in the database."""

    dataset_id: str
    folder: Path
    sha256: str
    size: int
    rows: int
    columns: tuple[dict[str, str], ...]
    source_name: str
    source_sha256: str

    def discard(self) -> None:
        """Removes the staged files."""
        remove_tree(self.folder)


def _silent(_what: str, _share: float) -> None:
    """The progress of whoever does not look."""


def _write(reading: Reading, target: Path) -> ParquetSink:
    with ParquetSink(target, reading.schema) as sink:
        for batch in reading.batches:
            sink.write(batch)
    return sink


def _convert_csv(source: CsvFile, target: Path, progress: Progress) -> tuple[ParquetSink, Reading]:
    try:
        with read_csv(source, None, lambda share: progress("converting", share)) as reading:
            return _write(reading, target), reading
    except Undecided:
        target.unlink(missing_ok=True)
    types, notes = infer_types(source, lambda share: progress("finding the types of the whole file", share))
    with read_csv(source, types, lambda share: progress("converting", share)) as reading:
        reading.notes = notes
        return _write(reading, target), reading


def _convert_parquet(source: Path, target: Path, progress: Progress) -> tuple[ParquetSink, Reading]:
    with read_parquet(source, lambda share: progress("converting", share)) as reading:
        sink = _write(reading, target)
    reading.sha256 = sha256_of(source)
    return sink, reading


def _is_parquet(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def _stamp(file: Path) -> tuple[int, int, int, int]:
    info = file.stat()
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns


def check_id(id: str) -> None:  # noqa: A002 - the word of the command line
    """Raises Invalid for an id that is no slug."""
    if not SLUG.fullmatch(id):
        raise Invalid(
            f"{id!r} cannot be the id of a dataset: 1 to 63 small letters, digits and hyphens, such as 'hiv-2004'."
        )


def stage_dataset(
    settings: Settings,
    file: Path,
    *,
    id: str,  # noqa: A002
    column_descriptions: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    missing: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> StagedDataset:
    """Reads `file` into a staging folder, without the database: minutes of work need no transaction.

    Raises Invalid with the line and what is wrong with it; nothing is left behind.
    """
    check_id(id)
    report = progress or _silent
    if not file.is_file():
        raise Invalid(f"{file} is no file. Give the path of a CSV or Parquet file.")
    with staging_folder(settings.datasets / id) as folder:
        before = _stamp(file)
        target = folder / data_package.DATA_FILE
        if _is_parquet(file):
            sink, reading = _convert_parquet(file, target, report)
        else:
            sink, reading = _convert_csv(csv_file(file, delimiter, missing), target, report)
        if _stamp(file) != before:
            raise Invalid(
                f"{file.name} changed while it was read. Nothing was added; add it again when it is complete."
            )
        if not sink.rows:
            raise Invalid(f"{file.name} has column names but no row of data. Nothing was added.")
        unknown = sorted(set(column_descriptions or {}) - set(sink.schema.names))
        if unknown:
            raise Invalid(
                f"The dictionary describes {unknown[0]!r}, which is no column of {file.name}. Correct its name."
            )
        report("converting", 1.0)
        columns = data_package.columns_of(sink.schema, column_descriptions, reading.notes)
        return StagedDataset(id, folder, sink.sha256, sink.size, sink.rows, tuple(columns), file.name, reading.sha256)


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
    dataset = check_addition(
        db, settings, id=id, owner=owner, tier=tier, title=title, actor=actor, egress_profile=egress_profile
    )
    staged = file if isinstance(file, StagedDataset) else stage_dataset(
        settings, file, id=id, column_descriptions=column_descriptions, delimiter=delimiter, missing=missing,
        progress=progress,
    )  # fmt: skip
    try:
        if dataset is None:
            dataset = Dataset(
                id=id, title=title, description=description, owner_id=owner, tier=tier, licence=licence,
                permitted_use=list(permitted_use), required_trainings=list(required_trainings), citation=citation,
                embargo_until=embargo_until, retention_until=retention_until, egress_profile=egress_profile,
            )  # fmt: skip
            db.add(dataset)
            db.flush()
        return _register(db, settings, staged, dataset, actor=actor, after=after)
    except BaseException:
        staged.discard()
        raise


def check_addition(
    db: Session, settings: Settings, *, id: str, owner: str, tier: int, title: str, actor: str, egress_profile: str  # noqa: A002
) -> Dataset | None:  # fmt: skip
    """What can be said before the file is read: returns the dataset that gets a new version, None for a new dataset."""
    check_id(id)
    check_tier(tier)
    check_profile(settings, egress_profile)
    if db.get(Organisation, owner) is None:
        raise NotFound(f"There is no organisation {owner!r}. Add it first: enclave organisation add {owner}")
    require_steward(db, actor, owner, f"add data of {owner}")
    dataset = _dataset(db, id, owner, tier)
    if dataset is None and not title.strip():
        raise Invalid(f"{id!r} is a new dataset: give it a title for the catalogue.")
    return dataset


def _dataset(db: Session, dataset_id: str, owner: str, tier: int) -> Dataset | None:
    dataset = db.get(Dataset, dataset_id, with_for_update=True)
    if dataset is not None and dataset.owner_id != owner:
        raise Refused(f"Dataset {dataset_id!r} belongs to {dataset.owner_id}. Choose another id for data of {owner}.")
    if dataset is not None and dataset.tier != tier:
        raise Refused(
            f"Dataset {dataset_id!r} is of tier {dataset.tier}, not {tier}. A new version keeps the tier; change the "
            f"tier of the dataset itself first: enclave dataset set {dataset_id} --tier {tier}"
        )
    return dataset


def _register(
    db: Session,
    settings: Settings,
    staged: StagedDataset,
    dataset: Dataset,
    *,
    actor: str,
    after: Callable[[DatasetVersion, Path], None] | None,
) -> DatasetVersion:
    if staged.dataset_id != dataset.id:
        raise Invalid(f"The file was read for dataset {staged.dataset_id!r}, not for {dataset.id!r}.")
    newest = db.scalar(select(func.max(DatasetVersion.number)).where(DatasetVersion.dataset_id == dataset.id)) or 0
    final = settings.datasets / dataset.id / f"v{newest + 1}"
    version = DatasetVersion(
        dataset_id=dataset.id, number=newest + 1, path=str(final.relative_to(settings.data_root)), sha256=staged.sha256,
        rows=staged.rows, columns=list(staged.columns), source_name=staged.source_name,
        source_sha256=staged.source_sha256, added_by=actor, added_at=clock.now(),
    )  # fmt: skip
    text = data_package.package(
        name=dataset.id, version=str(version.number), title=dataset.title, description=dataset.description,
        licence=dataset.licence, citation=dataset.citation, owner=dataset.owner_id, columns=staged.columns,
        rows=staged.rows, size=staged.size, sha256=staged.sha256,
        provenance={
            "source": staged.source_name, "sourceHash": f"sha256:{staged.source_sha256}", "addedBy": actor,
            "writer": f"pyarrow {pa.__version__}",
        },
    )  # fmt: skip
    package_sha256 = write_file(staged.folder / data_package.PACKAGE_FILE, text)
    settle(db, staged.folder, final)
    db.add(version)
    db.flush()
    details = {
        "version": version.number, "tier": dataset.tier, "rows": version.rows, "sha256": version.sha256,
        "datapackage_sha256": package_sha256, "source": version.source_name, "source_sha256": version.source_sha256,
    }  # fmt: skip
    changes.note(db, Act.DatasetAdded, actor=actor, subject=f"dataset:{dataset.id}", details=details)
    touch(db)
    if after is not None:
        after(version, final / data_package.DATA_FILE)
    return version
