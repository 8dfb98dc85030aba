"""Answer with a compressed bomb.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: the gateway asks for plain bodies and refuses a coded one
"""

import gzip

from tests.redteam.roads import evil_server

BOMB = gzip.compress(bytes(64 << 20))

PAYLOAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    % len(BOMB)
    + BOMB
)
REPEAT = b""


def test_control_it_passes_a_plain_proxy(open_road) -> None:
    with open_road(PAYLOAD, REPEAT) as answer:
        assert len(answer.content) > 50_000_000


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert len(answer.content) < 1_000_000
    assert evil_session.gateway_mib() < 400
