"""Fixtures over gateway_rig."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub import tickets
from tests.unit.hub.gateway.gateway_rig import KEY, SESSION, Serve, rig_for


@pytest.fixture
def rig(tmp_path: Path) -> Callable[..., Any]:
    """`async with rig(serve, tier=2) as r:`"""

    def make(serve: Serve | None, **more: Any) -> Any:
        return rig_for(tmp_path, serve, **more)

    return make


@pytest.fixture
def ticket() -> Callable[..., str]:
    return lambda person="ana", session=SESSION, key=KEY: tickets.issue(key, session, person)
