"""Carry records out in the status codes of answers without a body, a few bits each.

Way: gateway
Control: configurable-http-proxy straight to the same server, which counts nothing
Bounded by: every answer of a container counts as some bytes, whatever is in it
"""

import pytest

from hub.gateway.passing import ANSWER
from tests.redteam import wire
from tests.redteam.roads import evil_server

ASKED = 20


def payload(status: int, kind: str) -> bytes:
    return b"HTTP/1.1 %d Secret\r\nContent-Type: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % (
        status, kind.encode(),
    )  # fmt: skip


def test_control_they_pass_a_plain_proxy(open_road) -> None:
    with open_road(payload(477, "text/plain"), b"") as answer:
        assert answer.status_code == 477


@pytest.mark.parametrize(("status", "kind"), [(477, "text/plain"), (204, "application/json")])
def test_the_gateway_counts_them(enclave, evil_session, status, kind) -> None:
    session = enclave.session("dora", "smoking").id
    with evil_server(evil_session, payload(status, kind)):
        before = wire.counted(enclave, session)
        for _ in range(ASKED):
            assert not evil_session.get("/api/kernels").content.count(b"Secret")
        assert wire.counted(enclave, session) - before >= ASKED * ANSWER
