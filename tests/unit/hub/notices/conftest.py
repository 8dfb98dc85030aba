import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "egress_review"))

from egress_world import World
from post_office import PostOffice

from hub.schema import metadata

metadata()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An enclave in which ana has had hiv mounted, built once and copied for each test."""
    root = tmp_path_factory.mktemp("noticed")
    world = World(root)
    world.open_to("hiv/full")
    world.close()
    return root


@pytest.fixture
def world(built: Path, tmp_path: Path) -> Iterator[World]:
    shutil.copytree(built, tmp_path / "enclave")
    world = World(tmp_path / "enclave", build=False)
    yield world
    world.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PostOffice]:
    with PostOffice(tmp_path / "post") as running:
        yield running
