import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from portal_world import PortalWorld


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data root of a world that nothing has happened in yet; each test works on a copy."""
    root = tmp_path_factory.mktemp("portal") / "data"
    root.mkdir()
    PortalWorld(root).engine.dispose()
    return root


@pytest.fixture
def world(tmp_path: Path, built_once: Path) -> Iterator[PortalWorld]:
    root = tmp_path / "data"
    shutil.copytree(built_once, root)
    built = PortalWorld(root, build=False)
    yield built
    built.engine.dispose()
