from typing import Any

import pytest
from data_world import KEYED, DataWorld, data_world  # noqa: F401 - a fixture

from access_control.database import reading, writing
from access_control.dataset_facts import change_dataset
from access_control.errors import Invalid, NotPermitted, Refused
from access_control.models import Dataset


def change(data: DataWorld, values: dict[str, Any], actor: str = "sam", reason: str = "why") -> None:
    with writing(data.engine) as db:
        change_dataset(db, data.settings, "people", values, actor=actor, reason=reason)


def test_a_change_is_made_recorded_and_counted(data: DataWorld) -> None:
    data.add()
    before = data.change()
    change(data, {"tier": 4, "title": "All people"})
    with reading(data.engine) as db:
        dataset = db.get_one(Dataset, "people")
    assert (dataset.tier, dataset.title) == (4, "All people")
    assert data.change() > before
    [entry] = data.acts("dataset:changed")
    assert entry["details"]["before"] == {"tier": 3, "title": "People"}


@pytest.mark.parametrize(
    ("values", "actor", "reason", "error"),
    [
        ({"tier": 9}, "sam", "why", Invalid),
        ({"owner_id": "globex"}, "sam", "why", Invalid),
        ({"egress_profile": "lax"}, "sam", "why", Invalid),
        ({"tier": 4}, "gil", "why", NotPermitted),
        ({"tier": 4}, "sam", " ", Invalid),
        ({"tier": 2}, "sam", "why", Refused),
    ],
)
def test_what_cannot_be_changed(
    data: DataWorld, values: dict[str, Any], actor: str, reason: str, error: type[Exception]
) -> None:
    data.add()
    data.publish(KEYED)
    with pytest.raises(error):
        change(data, values, actor, reason)
    with reading(data.engine) as db:
        assert db.get_one(Dataset, "people").tier == 3
