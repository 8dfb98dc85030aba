"""Disagree with oneself about the length of a body.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: an answer with two lengths is refused
"""

from tests.redteam.roads import evil_server

PAYLOAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"
REPEAT = b""


def test_control_it_passes_a_plain_proxy(open_road) -> None:
    with open_road(PAYLOAD, REPEAT) as answer:
        assert answer is None or answer.status_code


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert answer.status_code >= 500 or answer.text == "[]"
    assert "transfer-encoding" not in answer.headers or answer.text == "[]"
