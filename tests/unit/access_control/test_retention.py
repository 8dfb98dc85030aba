import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from data_world import OPEN, DataWorld, data_world  # noqa: F401 - a fixture

from access_control import clock
from access_control.database import reading
from access_control.errors import Invalid, NotPermitted, Refused
from access_control.models import DatasetVersion
from access_control.retention import Proof, delete_data


def delete(data: DataWorld, **changed: Any) -> Proof:
    options: dict[str, Any] = {"actor": "sam", "reason": "the term has ended", **changed}
    return delete_data(data.engine, data.settings, "people", **options)


def test_data_past_its_date_are_deleted_with_a_record(data: DataWorld) -> None:
    version = data.add(retention_until=clock.today() - timedelta(days=1))
    data.publish(OPEN)
    stored = {n: hashlib.sha256((data.settings.data_root / n).read_bytes()).hexdigest() for n in data.stored()}
    (data.settings.indexes / "people").mkdir(parents=True)
    (data.settings.indexes / "people" / "index").write_text("rows")
    proof = delete(data)
    assert {name: digest for name, digest in proof.files.items() if "index" not in name} == stored
    assert "indexes/people/index" in proof.files
    assert data.stored() == []
    assert json.loads(proof.path.read_text())["files"] == proof.files
    assert data.versions("people/open")[0].state == "withdrawn"
    [entry] = data.acts("dataset:deleted")
    assert entry["details"]["files"] == proof.files
    with reading(data.engine) as db:
        assert db.get_one(DatasetVersion, version.id).deleted_at is not None
    with pytest.raises(Exception, match="has no version"):
        data.publish(OPEN)


@pytest.mark.parametrize(
    ("days", "changed", "error"),
    [
        (None, {}, Refused),
        (0, {}, Refused),
        (30, {}, Refused),
        (-1, {"actor": "gil"}, NotPermitted),
        (-1, {"reason": ""}, Invalid),
    ],
)
def test_what_is_not_deleted(
    data: DataWorld, days: int | None, changed: dict[str, Any], error: type[Exception]
) -> None:
    data.add(retention_until=clock.today() + timedelta(days=days) if days is not None else None)
    with pytest.raises(error):
        delete(data, **changed)
    assert len(data.stored()) == 2


def test_the_owner_may_delete_before_the_date(data: DataWorld) -> None:
    data.add()
    assert len(delete(data, before_retention=True).files) == 2
    assert data.add().number == 2
