"""Hide a second request in the first, by lengths that the proxy and the gateway might read differently.

Way: gateway
Control: two honest requests one behind the other, which get two answers
Held by: proxy and gateway refuse a request whose length can be read in two ways, and the gateway takes no body where none
    belongs
"""

import socket
from urllib.parse import urlsplit

from hub.tour.kernel import cookies_for

INNER = "GET /api/me HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
FORMS = {
    "both lengths": "Content-Length: {size}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
    "a length for the chunks' end": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
    "odd spelling": "Content-Length: {size}\r\nTransfer-Encoding: xchunked\r\n\r\n{inner}",
    "a space before the colon": "Content-Length: {size}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n{inner}",
    "two codings": "Content-Length: {size}\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{inner}",
    "a tab": "Content-Length: {size}\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n{inner}",
    "two lengths": "Content-Length: 0\r\nContent-Length: {size}\r\n\r\n{inner}",
    "a signed length": "Content-Length: +{size}\r\n\r\n{inner}",
    "a folded field": "X-Y: a\r\n Content-Length: 0\r\nContent-Length: {size}\r\n\r\n{inner}",
    "bare line ends": "X-Y: a\nContent-Length: 0\r\nContent-Length: {size}\r\n\r\n{inner}",
    "a chunk's extension": "Transfer-Encoding: chunked\r\n\r\n0;a=\n\r\n\r\n{inner}",
    "a body where none belongs": "Content-Length: {size}\r\n\r\n{inner}",
}


def _answers(person, more: str) -> int:
    parts = urlsplit(person.session)
    cookie = "; ".join(f"{name}={value}" for name, value in cookies_for(person.browser, person.session).items())
    inner = INNER.format(host=parts.netloc, cookie=cookie)
    head = f"GET /api/me HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookie}\r\n"
    with socket.create_connection(("127.0.0.1", parts.port or 80), 60) as connection:
        connection.sendall((head + more.format(size=len(inner), inner=inner)).encode())
        connection.settimeout(10)
        got = b""
        try:
            while piece := connection.recv(65536):
                got += piece
        except (TimeoutError, ConnectionError):
            return got.count(b'"username"')
    return got.count(b'"username"')


def test_control_two_honest_requests_get_two_answers(researcher) -> None:
    assert _answers(researcher, "\r\n{inner}") == 2


def test_a_hidden_one_gets_none(researcher) -> None:
    # Chunks that end properly end the first request, whatever follows is the client's own next: that hides nothing.
    found = {name: _answers(researcher, form) for name, form in FORMS.items()}
    assert {name: count for name, count in found.items() if count > 1} == {}
