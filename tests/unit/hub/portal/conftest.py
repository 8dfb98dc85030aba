import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from portal_world import PortalWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PortalWorld]:
    built = PortalWorld(tmp_path)
    yield built
    built.engine.dispose()
