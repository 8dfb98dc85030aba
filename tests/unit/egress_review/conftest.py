import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from egress_world import World


@pytest.fixture(scope="session")
def built_bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An enclave in which nothing was ever mounted, built once and copied for each test."""
    root = tmp_path_factory.mktemp("bare")
    World(root).close()
    return root


@pytest.fixture(scope="session")
def built(built_bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after ana has had hiv mounted."""
    root = tmp_path_factory.mktemp("built") / "enclave"
    shutil.copytree(built_bare, root)
    world = World(root, build=False)
    world.open_to("hiv/full")
    world.close()
    return root


@pytest.fixture
def world(built: Path, tmp_path: Path) -> Iterator[World]:
    """An enclave in which ana has had hiv (tier 3, of acme) mounted: two of acme's stewards must approve."""
    shutil.copytree(built, tmp_path / "enclave")
    world = World(tmp_path / "enclave", build=False)
    yield world
    world.close()


@pytest.fixture
def bare_world(built_bare: Path, tmp_path: Path) -> Iterator[World]:
    """An enclave in which nothing was ever mounted."""
    shutil.copytree(built_bare, tmp_path / "enclave")
    world = World(tmp_path / "enclave", build=False)
    yield world
    world.close()
