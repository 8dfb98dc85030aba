"""Routes of the hub lie under its own host, and come back as they went."""

import pytest

from hub.proxy import from_proxy_path, to_proxy_path


@pytest.mark.parametrize(
    ("routespec", "path"),
    [
        ("/", "/enclave.example"),
        ("/services/portal/", "/enclave.example/services/portal"),
        ("/user/ana/p17/", "/enclave.example/user/ana/p17"),
        ("/=login.enclave.example/", "/login.enclave.example"),
    ],
)
def test_there_and_back(routespec: str, path: str) -> None:
    assert to_proxy_path("enclave.example", routespec) == path
    assert from_proxy_path("enclave.example", path) == routespec


def test_another_host_that_begins_alike_is_another_host() -> None:
    assert from_proxy_path("enclave.example", "/enclave.example.org/x") == "/=enclave.example.org/x/"
