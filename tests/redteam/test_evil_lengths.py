"""Disagree with oneself about the length of a body.

Way: gateway
Control: a client that takes whatever comes
Held by: an answer with two lengths is refused
"""

from tests.redteam.roads import evil_server, raw_answer

PAYLOAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"
REPEAT = b""


def test_control_a_client_without_limits_takes_it() -> None:
    answer = raw_answer(PAYLOAD, REPEAT)
    assert b"Content-Length: 4" in answer
    assert b"Transfer-Encoding: chunked" in answer


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert answer.status_code >= 500 or answer.text == "[]"
    assert "transfer-encoding" not in answer.headers or answer.text == "[]"
