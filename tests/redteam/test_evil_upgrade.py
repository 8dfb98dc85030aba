"""Answer a plain request with a protocol upgrade, to get a channel that nobody meters.

Way: gateway
Control: a client that takes whatever comes
Held by: an answer of 101 to a plain request is refused
"""

from tests.redteam.roads import evil_server, raw_answer

PAYLOAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: tunnel\r\nConnection: Upgrade\r\n\r\nsecret"
REPEAT = b""


def test_control_a_client_without_limits_takes_it() -> None:
    answer = raw_answer(PAYLOAD, REPEAT)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert answer.endswith(b"secret")


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert answer.status_code >= 500
    assert "upgrade" not in answer.headers
    assert "secret" not in answer.text
