from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest

from access_control.decisions import Decision, Mount

MOUNT = Mount("hiv", "hiv/ps", 3, "/srv/renditions/hiv/ps/3", "/data/hiv", {"a": "0"}, "AGR-1.1", "AGR-1", 2, "because")


def test_a_mount_survives_json() -> None:
    assert Mount.from_dict(json.loads(json.dumps(MOUNT.as_dict()))) == MOUNT


@pytest.mark.parametrize("values", [{}, {**MOUNT.as_dict(), "writable": True}])
def test_anything_else_is_no_mount(values: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Mount.from_dict(values)


def test_a_decision_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Decision(False, None, "no").allowed = True  # type: ignore[misc]
