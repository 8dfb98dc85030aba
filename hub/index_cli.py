"""The index of source rows, beside the commands of datasets: built with each version that comes in, and on request."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy import select

from access_control import data_cli
from access_control.data_package import DATA_FILE
from access_control.database import open_database, reading
from access_control.errors import NotFound
from access_control.models import DatasetVersion
from access_control.settings import Settings, load_settings
from egress_review.source_index import build_index


def register(app: typer.Typer) -> None:
    """Adds the groups `dataset`, whose `add` indexes what it takes in, and `rendition`."""
    data_cli.register(app, after=index_version)
    if "index" not in {command.name for command in data_cli.dataset.registered_commands}:
        data_cli.dataset.command("index")(index)


def index_version(settings: Settings, version: DatasetVersion, parquet: Path) -> None:
    """Builds the index by which outputs are compared with that version's rows."""
    build_index(settings, version.dataset_id, version.number, parquet)


def index(dataset: Annotated[str, typer.Argument(help="Id of the dataset.")]) -> None:
    """Build the index of source rows of every version of a dataset anew."""
    settings, console = load_settings(), Console()
    engine = open_database(settings.database)
    with reading(engine) as db:
        query = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset, DatasetVersion.deleted_at.is_(None))
        versions = list(db.scalars(query.order_by(DatasetVersion.number)))
        for version in versions:
            with console.status(f"Indexing {dataset} v{version.number}, {version.rows} rows"):
                index_version(settings, version, settings.data_root / version.path / DATA_FILE)
            console.print(f"{dataset} v{version.number} is indexed.")
    if not versions:
        raise NotFound(f"There is no dataset {dataset!r}. `enclave dataset list` names those that there are.")
