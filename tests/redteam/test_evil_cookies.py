"""Set cookies that the hub or another session would read.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: cookies of the container are dropped
"""

from tests.redteam.roads import evil_server

PAYLOAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: enclave=stolen; Domain=enclave.localhost; Path=/\r\nSet-Cookie: jupyterhub-session-id=x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
REPEAT = b""


def test_control_it_passes_a_plain_proxy(open_road) -> None:
    with open_road(PAYLOAD, REPEAT) as answer:
        assert "enclave=stolen" in answer.headers["set-cookie"]


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert "set-cookie" not in answer.headers
