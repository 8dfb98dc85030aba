"""Carry records out beside the body of an answer: in the extensions of its chunks, and in trailers behind it.

Way: gateway
Control: a client that takes whatever comes
Held by: only what is in the chunks is passed on, in chunks or at a length of the gateway's own
"""

from tests.redteam.roads import evil_server, raw_answer, raw_get

SECRET = b"secret-diagnosis"
PAYLOAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nTrailer: X-Records\r\n"
    b"Connection: close\r\n\r\n2;records=secret-diagnosis\r\n[]\r\n0;more=secret-diagnosis\r\n"
    b"X-Records: secret-diagnosis\r\nSet-Cookie: records=secret-diagnosis\r\n\r\n"
)


def test_control_a_client_without_limits_takes_it() -> None:
    assert raw_answer(PAYLOAD).count(SECRET) == 4


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD):
        answer = raw_get(evil_session.person, "/api/kernels")
    assert SECRET not in answer
    assert b"Trailer" not in answer
