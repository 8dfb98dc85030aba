"""One gateway, proxy and session for the module; the image has to be there."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest

from tests.integration.gateway.gateway_world import Browser, World, running_world

IMAGE = "enclave/notebook:latest"


def image_is_there() -> bool:
    try:
        docker.from_env().images.get(IMAGE)
    except docker.errors.DockerException:
        return False
    return True


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not image_is_there():
        pytest.skip(f"{IMAGE} is not built: python -m hub.setup.images")
    with running_world(tmp_path_factory.mktemp("gateway")) as made:
        yield made


@pytest.fixture(scope="session")
def browser(world: World) -> Browser:
    """A session of tier 0 that tests share; each uses files of its own."""
    return world.open_session("shared")


@pytest.fixture(scope="session")
def strict(world: World) -> Browser:
    """A session of tier 3."""
    return world.open_session("strict", tier=3)
