"""Answer with headers without end, to exhaust the gateway's memory.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: the size and number of header lines are bounded
"""

from tests.redteam.roads import evil_server

PAYLOAD = b"HTTP/1.1 200 OK\r\n"
REPEAT = b"X-Filler: " + b"a" * 8000 + b"\r\n"


def test_control_it_passes_a_plain_proxy(open_road) -> None:
    with open_road(PAYLOAD, REPEAT) as answer:
        assert answer is None or answer.status_code


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert answer.status_code in {502, 504}
    assert evil_session.gateway_mib() < 400
