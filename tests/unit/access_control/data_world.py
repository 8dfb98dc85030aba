"""An enclave for the tests of data: acme and globex own data, sam is acme's steward and gil globex's, p17 and p18 run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from access_control import clock, people, projects
from access_control.audit import AuditEntry
from access_control.changes import SETUP
from access_control.database import Base, open_database, reading, writing
from access_control.decisions import Mount
from access_control.ingest import add_dataset
from access_control.models import ChangeCount, DatasetVersion, RenditionVersion
from access_control.parquet_sink import remove_tree
from access_control.renditions import publish_rendition
from access_control.settings import Settings

PEOPLE_CSV = "id,age,sex,town\n" + "".join(
    f"{n},{20 + n % 40},{'fm'[n % 2]},{('Aa', 'Bo', 'Ce')[n % 3]}\n" for n in range(240)
)
OPEN = """
rendition = "people/open"
title = "People, generalised"
tier = 1

[columns]
age = { bands = 10 }
sex = "keep"

[uniqueness]
quasi_identifiers = ["age", "sex"]
"""
KEYED = """
rendition = "people/keyed"
title = "People, pseudonymised"
tier = 3

[columns]
id = { pseudonym = "project", as = "person" }
age = "keep"
"""


class DataWorld:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = Settings(data_root=root / "data")
        self.settings.data_root.mkdir()
        self.engine = open_database(self.settings.database)
        Base.metadata.create_all(self.engine)
        today, until = clock.today(), clock.today() + timedelta(days=365)
        with writing(self.engine) as db:
            for owner in ("acme", "globex"):
                people.add_organisation(db, id=owner, title=owner.title(), region="EU", actor=SETUP)
            for person, owner in (("sam", "acme"), ("gil", "globex")):
                people.add_person(
                    db, id=person, name=person, email=f"{person}@x.example", affiliation=owner, region="EU", actor=SETUP
                )
                people.grant_role(
                    db, person, role="steward", domain=f"owner:{owner}", start=today, until=until, source="test"
                )
            for project in ("p17", "p18"):
                projects.add_project(
                    db,
                    id=project,
                    title=project,
                    tier=3,
                    region="EU",
                    purposes=["GRU"],
                    start=today,
                    until=until,
                    actor=SETUP,
                )

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def add(
        self, content: str | bytes | Path = PEOPLE_CSV, *, name: str = "people.csv", **changed: Any
    ) -> DatasetVersion:
        file = content if isinstance(content, Path) else self.file(name, content)
        facts = {"id": "people", "owner": "acme", "tier": 3, "title": "People", "actor": "sam", **changed}
        with writing(self.engine) as db:
            return add_dataset(db, self.settings, file, **facts)

    def publish(self, text: str = OPEN, actor: str = "sam") -> None:
        with writing(self.engine) as db:
            publish_rendition(db, self.settings, text, actor=actor)

    def versions(self, rendition: str) -> list[RenditionVersion]:
        with reading(self.engine) as db:
            query = select(RenditionVersion).where(RenditionVersion.rendition_id == rendition)
            return list(db.scalars(query.order_by(RenditionVersion.id)))

    def table(self, version: DatasetVersion | RenditionVersion) -> pa.Table:
        return pq.read_table(self.settings.data_root / version.path / "data.parquet")

    def package(self, version: DatasetVersion | RenditionVersion) -> dict[str, Any]:
        return json.loads((self.settings.data_root / version.path / "datapackage.json").read_text())

    def mount(self, version: RenditionVersion) -> Mount:
        return Mount(
            version.rendition_id.partition("/")[0],
            version.rendition_id,
            version.number,
            str(self.settings.data_root / version.path),
            "/data/people",
            version.files,
            "AGR-1.1",
            "AGR-1",
            1,
            "test",
        )

    def acts(self, act: str) -> list[dict[str, Any]]:
        with reading(self.engine) as db:
            entries = [json.loads(body) for body in db.scalars(select(AuditEntry.body).order_by(AuditEntry.seq))]
        return [entry for entry in entries if entry["act"] == act]

    def change(self) -> int:
        with reading(self.engine) as db:
            return db.scalars(select(ChangeCount.number)).one()

    def stored(self) -> list[str]:
        """Every file of data, staged ones too, below the data root."""
        folders = (self.settings.datasets, self.settings.renditions)
        return sorted(str(p.relative_to(self.settings.data_root)) for f in folders for p in f.rglob("*") if p.is_file())

    def close(self) -> None:
        self.engine.dispose()
        for path in self.settings.data_root.rglob("*"):
            if path.is_dir():
                path.chmod(0o700)
        remove_tree(self.settings.data_root)


@pytest.fixture(name="data")
def data_world(tmp_path: Path) -> Iterator[DataWorld]:
    world = DataWorld(tmp_path)
    yield world
    world.close()
