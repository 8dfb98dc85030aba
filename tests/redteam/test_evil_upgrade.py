"""Answer a plain request with a protocol upgrade, to get a channel that nobody meters.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: an answer of 101 to a plain request is refused
"""

from tests.redteam.roads import evil_server

PAYLOAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: tunnel\r\nConnection: Upgrade\r\n\r\nsecret"
REPEAT = b""


def test_control_it_passes_a_plain_proxy(open_road) -> None:
    with open_road(PAYLOAD, REPEAT) as answer:
        assert answer is None or answer.status_code in {101, 502, 503}


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert answer.status_code >= 500
    assert "upgrade" not in answer.headers
    assert "secret" not in answer.text
