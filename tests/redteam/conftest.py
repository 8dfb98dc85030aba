"""What attacks are run against: stock JupyterHub as the control, and the enclave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from access_control.settings import Settings
from tests.redteam.inside import Inside
from tests.redteam.stock import StockHub


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StockHub]:
    """A running stock JupyterHub with DockerSpawner."""
    folder: Path = tmp_path_factory.mktemp("stock")
    for path in (folder, *folder.parents[:2]):
        path.chmod(0o755)  # the containers' user has to reach its workspace
    hub = StockHub(folder / "hub", Settings().session.uid)
    hub.folder.chmod(0o755)
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture(scope="session")
def stock_inside(stock: StockHub) -> Inside:
    """The inside of mallory's container at the stock hub."""
    return stock.open_session("mallory")[1]
