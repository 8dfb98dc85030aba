import hashlib
import json
import os
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_world import PEOPLE_CSV, DataWorld, data_world  # noqa: F401 - a fixture
from sqlalchemy import select

from access_control.database import reading, writing
from access_control.errors import Invalid, NotFound, NotPermitted, Refused
from access_control.ingest import add_dataset, stage_dataset
from access_control.models import Dataset, DatasetVersion
from access_control.settings import Settings


def test_a_csv_becomes_an_immutable_version(data: DataWorld) -> None:
    before = data.change()
    version = data.add(column_descriptions={"age": "Age in years"}, licence="CC0", citation="Doe 2020")
    folder = data.settings.data_root / version.path
    assert (version.number, version.rows, version.path) == (1, 240, "datasets/people/v1")
    assert data.table(version).to_pylist()[1] == {"id": 1, "age": 21, "sex": "m", "town": "Bo"}
    assert oct(folder.stat().st_mode)[-3:] == "555"
    assert {oct(file.stat().st_mode)[-3:] for file in folder.iterdir()} == {"444"}
    assert version.sha256 == hashlib.sha256((folder / "data.parquet").read_bytes()).hexdigest()
    assert version.source_sha256 == hashlib.sha256(PEOPLE_CSV.encode()).hexdigest()
    assert data.change() > before


def test_the_data_package_describes_the_version(data: DataWorld) -> None:
    version = data.add(column_descriptions={"age": "Age in years"}, licence="CC0", citation="Doe 2020")
    package = data.package(version)
    resource = package["resources"][0]
    assert package["name"] == "people"
    assert package["licenses"] == [{"title": "CC0"}]
    assert package["provenance"]["source"] == "people.csv"
    assert package["provenance"]["sourceHash"] == f"sha256:{version.source_sha256}"
    assert (resource["rowCount"], resource["hash"]) == (240, f"sha256:{version.sha256}")
    assert resource["bytes"] == (data.settings.data_root / version.path / "data.parquet").stat().st_size
    assert {field["name"]: field["type"] for field in resource["schema"]["fields"]} == {
        "id": "integer",
        "age": "integer",
        "sex": "string",
        "town": "string",
    }
    assert resource["schema"]["fields"][1]["description"] == "Age in years"


def test_the_log_tells_of_it_without_data(data: DataWorld) -> None:
    version = data.add()
    [entry] = data.acts("dataset:added")
    assert (entry["actor"], entry["subject"]) == ("sam", "dataset:people")
    assert entry["details"]["sha256"] == version.sha256
    assert "Aa" not in json.dumps(entry)


def test_a_second_file_is_a_second_version_and_the_first_stays(data: DataWorld) -> None:
    first, second = data.add(), data.add(PEOPLE_CSV + "999,50,f,Aa\n")
    assert (second.number, second.rows) == (2, 241)
    assert data.table(first).num_rows == 240


def test_parquet_is_taken_too(data: DataWorld) -> None:
    path = data.root / "x.parquet"
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), path)
    version = data.add(path)
    assert data.table(version).to_pydict() == {"a": [1, 2], "b": ["x", None]}
    assert version.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("a,b\n1,2\n3\n", "line 3"),
        ("a,b\n", "no row of data"),
        ("", "is empty"),
        (b"PAR1 and nothing more", "cannot be read as Parquet"),
    ],
)
def test_a_refused_file_leaves_nothing_behind(data: DataWorld, content: str | bytes, fault: str) -> None:
    with pytest.raises(Invalid, match=fault):
        data.add(content)
    assert data.stored() == []
    assert not (data.settings.datasets / "people").exists()
    with reading(data.engine) as db:
        assert db.get(Dataset, "people") is None
    assert data.acts("dataset:added") == []


def test_a_refused_second_version_leaves_the_first(data: DataWorld) -> None:
    data.add()
    with pytest.raises(Invalid):
        data.add("a,b\n1\n")
    assert data.stored() == ["datasets/people/v1/data.parquet", "datasets/people/v1/datapackage.json"]


def test_a_rollback_takes_the_files_away(data: DataWorld) -> None:
    with pytest.raises(RuntimeError), writing(data.engine) as db:
        add_dataset(
            db, data.settings, data.file("p.csv", PEOPLE_CSV), id="people", owner="acme", tier=3, title="P", actor="sam"
        )
        raise RuntimeError
    assert data.stored() == []
    assert data.add().number == 1


def test_a_later_rollback_in_the_same_session_takes_nothing_away(data: DataWorld) -> None:
    from sqlalchemy.orm import Session

    with Session(data.engine) as db:
        file = data.file("p.csv", PEOPLE_CSV)
        add_dataset(db, data.settings, file, id="people", owner="acme", tier=3, title="P", actor="sam")
        db.commit()
        db.scalars(select(Dataset)).all()
        db.rollback()
    assert len(data.stored()) == 2


def test_a_folder_that_a_crash_left_is_replaced(data: DataWorld) -> None:
    left = data.settings.datasets / "people" / "v1"
    left.mkdir(parents=True)
    (left / "data.parquet").write_text("half")
    left.chmod(0o555)
    assert data.table(data.add()).num_rows == 240


def test_what_comes_after_may_refuse(data: DataWorld) -> None:
    seen: list[tuple[int, int]] = []

    def refuse(version: DatasetVersion, path: Path) -> None:
        seen.append((version.number, pq.read_metadata(path).num_rows))
        raise Refused("no index")

    with pytest.raises(Refused, match="no index"):
        data.add(after=refuse)
    assert seen == [(1, 240)]
    assert data.stored() == []


@pytest.mark.parametrize(
    ("changed", "error", "fault"),
    [
        ({"actor": "gil"}, NotPermitted, "add data of acme"),
        ({"actor": "nobody"}, NotPermitted, "add data of acme"),
        ({"owner": "initech"}, NotFound, "initech"),
        ({"id": "Hiv!"}, Invalid, "cannot be the id"),
        ({"id": "../x"}, Invalid, "cannot be the id"),
        ({"tier": 5}, Invalid, "tiers are 0"),
        ({"title": " "}, Invalid, "give it a title"),
        ({"egress_profile": "lax"}, Invalid, "no egress profile"),
        ({"column_descriptions": {"aeg": "Age"}}, Invalid, "'aeg'"),
        ({"delimiter": "::"}, Invalid, "not one character"),
    ],
)
def test_what_cannot_be_added(data: DataWorld, changed: dict[str, object], error: type[Exception], fault: str) -> None:
    with pytest.raises(error, match=fault):
        data.add(**changed)
    assert data.stored() == []


def test_a_version_keeps_owner_and_tier(data: DataWorld) -> None:
    data.add()
    with pytest.raises(Refused, match="belongs to acme"):
        data.add(owner="globex", actor="gil")
    with pytest.raises(Refused, match="of tier 3, not 2"):
        data.add(tier=2)


def test_no_file_is_no_file(data: DataWorld) -> None:
    for path in (data.root / "nothing.csv", data.root):
        with pytest.raises(Invalid, match="is no file"):
            data.add(path)


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small file system can be mounted by root alone")
    try:
        file = tmp_path / "big.csv"
        file.write_text("a\n" + "\n".join(os.urandom(24).hex() for _ in range(50_000)))
        with pytest.raises(Refused, match="is full"):
            stage_dataset(Settings(data_root=small / "root"), file, id="big")
        assert not list(small.rglob("*.parquet"))
    finally:
        subprocess.run(["umount", str(small)], check=True)
