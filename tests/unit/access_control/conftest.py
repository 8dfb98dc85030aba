import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lifecycle_world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An enclave on SQLite with two admins, stewards of two owners, and a project; its clock can be set."""
    built = World(f"sqlite:///{tmp_path / 'enclave.sqlite'}")
    yield built
    built.close()
