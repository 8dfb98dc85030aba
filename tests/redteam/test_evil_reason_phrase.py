"""Carry records out in the words behind the status of an answer, which no meter of bodies sees.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: of the status only its number is passed on
"""

from tests.redteam.roads import evil_server

PAYLOAD = b"HTTP/1.1 200 secret-diagnosis\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"


def test_control_it_passes_a_plain_proxy(open_road) -> None:
    with open_road(PAYLOAD) as answer:
        assert answer.reason_phrase == "secret-diagnosis"


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD):
        answer = evil_session.get("/api/kernels")
    assert (answer.status_code, answer.text) == (200, "[]")
    assert "secret" not in answer.reason_phrase
