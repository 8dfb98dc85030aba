import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from egress_world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An enclave in which ana has had hiv (tier 3, of acme) mounted: two of acme's stewards must approve."""
    built = World(tmp_path / "enclave")
    built.open_to("hiv/full")
    yield built
    built.close()


@pytest.fixture
def bare_world(tmp_path: Path) -> Iterator[World]:
    """An enclave in which nothing was ever mounted."""
    built = World(tmp_path / "enclave")
    yield built
    built.close()
