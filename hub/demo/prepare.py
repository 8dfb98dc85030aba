"""Builds the demo's world in a data root: people, projects, datasets, agreements. Harmless when repeated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from access_control.database import writing
from access_control.models import DatasetVersion
from access_control.settings import Settings
from egress_review.source_index import build_index
from hub.demo import datasets, world

Progress = Callable[[str], None]


def build_world(engine: Engine, settings: Settings, progress: Progress = lambda _line: None) -> None:
    """People and projects first, then their data, then the agreements that open them."""
    progress("People and projects")
    with writing(engine) as db:
        world.build_people(db)
    progress("Datasets")
    datasets.load_demo_data(
        engine, settings, settings.data_root / "handed-over", after=_index(settings), progress=progress
    )
    progress("Agreements")
    with writing(engine) as db:
        world.build_agreements(db, settings)


def _index(settings: Settings) -> Callable[[DatasetVersion, Path], None]:
    """Builds the index by which outputs are compared with the source, for each version that is added."""

    def build(version: DatasetVersion, parquet: Path) -> None:
        build_index(settings, version.dataset_id, version.number, parquet)

    return build
