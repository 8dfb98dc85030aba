"""Answer with headers without end, to exhaust the gateway's memory.

Way: gateway
Control: a client that takes whatever comes
Held by: the size and number of header lines are bounded
"""

from tests.redteam.roads import evil_server, raw_answer

PAYLOAD = b"HTTP/1.1 200 OK\r\n"
REPEAT = b"X-Filler: " + b"a" * 8000 + b"\r\n"


def test_control_a_client_without_limits_takes_it() -> None:
    answer = raw_answer(PAYLOAD, REPEAT)
    assert answer.count(b"X-Filler: ") > 48


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert answer.status_code in {502, 504}
    assert evil_session.gateway_mib() < 400
