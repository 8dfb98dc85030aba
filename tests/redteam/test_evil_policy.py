"""Weaken the page's own Content-Security-Policy.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: the policy is the gateway's, whatever the container says
"""

from tests.redteam.roads import evil_server

PAYLOAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Security-Policy: default-src *\r\nX-Frame-Options: ALLOWALL\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
REPEAT = b""


def test_control_it_passes_a_plain_proxy(open_road) -> None:
    with open_road(PAYLOAD, REPEAT) as answer:
        assert answer.headers["content-security-policy"] == "default-src *"


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "*" not in answer.headers["content-security-policy"]
