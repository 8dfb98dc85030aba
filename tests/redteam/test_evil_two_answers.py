"""Smuggle a second answer behind the first, for the next reader's request.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: one connection a request: what comes behind an answer is thrown away
"""

from tests.redteam.roads import evil_server

PAYLOAD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n["stolen"]'
REPEAT = b""


def test_control_it_passes_a_plain_proxy(open_road) -> None:
    with open_road(PAYLOAD, REPEAT) as answer:
        assert answer.status_code == 200


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
        following = evil_session.get("/api/kernels")
    assert "stolen" not in answer.text
    assert "stolen" not in following.text
