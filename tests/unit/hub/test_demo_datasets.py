from pathlib import Path

import pytest

from access_control import catalogue
from access_control.database import Base, open_database, reading, writing
from access_control.models import Organisation
from access_control.rendition_parser import parse
from access_control.settings import Settings
from hub.demo.datasets import RENDITIONS, demo_files, load_demo_data


def test_the_demo_has_two_owners_and_three_tiers(tmp_path: Path) -> None:
    found = demo_files(tmp_path)
    assert len({dataset.owner for dataset in found}) >= 2
    assert len({dataset.tier for dataset in found}) >= 3
    assert all(dataset.renditions and dataset.column_descriptions and dataset.citation for dataset in found)
    declared = [path for dataset in found for path in dataset.renditions]
    assert sorted(declared) == sorted(RENDITIONS.glob("*.toml"))


@pytest.mark.parametrize("path", sorted(RENDITIONS.glob("*.toml")), ids=lambda path: path.stem)
def test_a_declaration_is_named_as_its_file(path: Path) -> None:
    assert parse(path.read_text(), path.name).id.replace("/", "-") == path.stem


def test_the_demos_data_are_loaded_once(tmp_path: Path) -> None:
    settings = Settings(data_root=tmp_path / "data")
    settings.data_root.mkdir()
    engine = open_database(settings.database)
    Base.metadata.create_all(engine)
    with writing(engine) as db:
        for owner in ("health-institute", "labour-office"):
            db.add(Organisation(id=owner, title=owner, region="EU"))
    indexed: list[str] = []
    lines: list[str] = []
    for _ in range(2):
        load_demo_data(
            engine,
            settings,
            tmp_path / "in",
            after=lambda v, _path: indexed.append(v.dataset_id),
            progress=lines.append,
        )
    with reading(engine) as db:
        entries = catalogue.list_datasets(db)
    assert sorted(indexed) == [entry.id for entry in entries]
    assert len(lines) == len(entries) + sum(len(entry.renditions) for entry in entries)
    assert all(entry.version == 1 and entry.renditions for entry in entries)
    engine.dispose()
    for folder in settings.data_root.rglob("*"):
        if folder.is_dir():
            folder.chmod(0o700)
