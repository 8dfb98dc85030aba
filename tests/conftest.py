"""Fixtures that integration, browser and attack tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running import Enclave


@pytest.fixture(scope="session")
def enclave(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclave]:
    """A running enclave with the demo's world; tests leave it as they found it."""
    running = Enclave.start(tmp_path_factory.mktemp("enclave"))
    yield running
    running.close()
