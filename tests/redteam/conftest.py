"""What attacks are run against: stock JupyterHub as the control, and the enclave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from access_control.models import SessionRecord
from access_control.settings import Settings
from hub.container import container_name
from tests.redteam.inside import Inside
from tests.redteam.stock import StockHub
from tests.running import Enclave


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


@pytest.fixture(scope="session")
def session(enclave: Enclave) -> Iterator[SessionRecord]:
    """A session of ana's at the enclave, shared by attacks that leave it as it was."""
    with enclave.running_session("ana", "smoking") as record:
        yield record


@pytest.fixture(scope="session")
def inside(session: SessionRecord) -> Inside:
    """The inside of that session's container."""
    return Inside(container_name(session.id))


@pytest.fixture(scope="session")
def granted(session: SessionRecord) -> set[str]:
    """The datasets that the session was given."""
    return {mount["dataset_id"] for mount in session.mounts}
