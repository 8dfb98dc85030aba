"""Answer with a body without end.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: bodies are read in pieces, bounded by kind, and metered
"""

from tests.redteam.roads import evil_server

PAYLOAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n["
REPEAT = b"1," * 32768


def test_control_it_passes_a_plain_proxy(open_road) -> None:
    with open_road(PAYLOAD, REPEAT) as answer:
        assert answer is not None
        assert len(answer.content) > 10_000_000


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert answer.status_code >= 500 or len(answer.content) < 80_000_000
    assert evil_session.gateway_mib() < 400
