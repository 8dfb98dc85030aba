"""Have the browser fetch from a third party by hints before the answer (103), or send such hints without end.

Way: gateway
Control: a client that takes whatever comes
Held by: nothing that comes before an answer is passed on, and what never becomes one is given up without being kept
"""

from tests.redteam.roads import evil_server, raw_answer, raw_get

HINT = b"HTTP/1.1 103 Early Hints\r\nLink: <https://third.example/secret-diagnosis>; rel=preload; as=image\r\n\r\n"
PAYLOAD = (
    HINT * 3 + b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
)


def test_control_a_client_without_limits_takes_it() -> None:
    assert raw_answer(PAYLOAD).count(b"103 Early Hints") == 3


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD):
        answer = raw_get(evil_session.person, "/api/kernels")
    assert b"secret-diagnosis" not in answer
    assert b" 103 " not in answer


def test_hints_without_end_are_not_kept(evil_session) -> None:
    before = evil_session.gateway_mib()
    with evil_server(evil_session, HINT, HINT * 1000):
        answer = evil_session.get("/api/kernels")
    assert answer.status_code >= 500
    assert evil_session.gateway_mib() - before < 100
