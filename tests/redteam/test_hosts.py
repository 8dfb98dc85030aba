"""Reach a session by another spelling of its host, or with two hosts, where one reader takes the one and one the other.

Way: gateway
Control: the same request under the session's own host, which is answered
Held by: a session's host is compared as a whole, and what is no session's host is the hub's, which knows no such path
"""

import socket
from urllib.parse import urlsplit

from hub.tour.kernel import cookies_for


def _ask(person, lines: list[str], target: str = "/api/kernels") -> bytes:
    parts = urlsplit(person.session)
    cookie = "; ".join(f"{name}={value}" for name, value in cookies_for(person.browser, person.session).items())
    request = "\r\n".join([f"GET {target} HTTP/1.1", *lines, f"Cookie: {cookie}", "Connection: close", "", ""])
    with socket.create_connection(("127.0.0.1", parts.port or 80), 60) as connection:
        connection.sendall(request.encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def _answered(answer: bytes) -> bool:
    return answer.startswith(b"HTTP/1.1 200") and b"\r\n\r\n[" in answer.replace(b"\r\n\r\n2\r\n", b"\r\n\r\n")


def test_control_its_own_host_is_answered(researcher) -> None:
    assert _answered(_ask(researcher, [f"Host: {urlsplit(researcher.session).netloc}"]))


def test_no_other_spelling_is(researcher) -> None:
    parts = urlsplit(researcher.session)
    name, port = parts.hostname, parts.port
    session, _, domain = name.partition(".")
    for lines in (
        [f"Host: user@{name}:{port}"],
        [f"Host: {name}.:{port}"],
        [f"Host: x.{name}:{port}"],
        [f"Host: {session}.evil.example:{port}"],
        [f"Host: {session}.{domain}.evil.example"],
        [f"Host: {session.replace('s-', 's-%')}.{domain}:{port}"],
        [f"Host: {domain}:{port}", f"Host: {name}:{port}"],
        [f"Host: {domain}:{port}", f"X-Forwarded-Host: {name}:{port}"],
        [f"Host: {domain}:{port}", f"Forwarded: host={name}:{port}"],
        [f"Host: {domain}:{port}", f"X-Original-URL: http://{name}:{port}/api/kernels"],
        [f"Host : {name}:{port}"],
        ["Host:"],
        [],
    ):
        assert not _answered(_ask(researcher, lines)), lines


def test_a_host_in_the_request_line_is_not_taken_for_another(researcher) -> None:
    parts = urlsplit(researcher.session)
    domain = parts.hostname.partition(".")[2]
    own = [f"Host: {domain}:{parts.port}"]
    assert not _answered(_ask(researcher, own, f"http://{parts.netloc}/api/kernels"))
