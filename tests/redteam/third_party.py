"""The third party that an attack talks to: a server of its own origin that writes down whatever reaches it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 60.0
GRACE = 1.2  # after the attack's script has ended: what comes, comes at once


class ThirdParty:
    """Listens on a TCP and a UDP port of the same number; `heard` grows with every connection, request and datagram."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.pause: Callable[[float], None] = time.sleep  # a screen puts its own here, so that it goes on meanwhile
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                heard.append("connection")
                super().setup()

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                heard.append(f"{self.command} {self.path} {self.rfile.read(length).decode(errors='replace')}")
                self.send_response(200)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Access-Control-Allow-Headers", "*")
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"heard")

            do_POST = do_PUT = do_OPTIONS = do_HEAD = do_GET  # noqa: N815 - the names that http.server asks for

            def log_message(self, *_: Any) -> None:
                """Nothing: `heard` is the log."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A browser that hangs up is no news."""

        while True:
            self._server = Server(("127.0.0.1", 0), Handler)
            self.port = int(self._server.server_address[1])
            self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self._datagrams.bind(("127.0.0.1", self.port))
                break
            except OSError:  # somebody else has the UDP port of that number: another number then
                self._datagrams.close()
                self._server.server_close()
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        threading.Thread(target=self._take_datagrams, daemon=True).start()

    def _take_datagrams(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.heard.append(f"datagram of {len(self._datagrams.recv(65536))} bytes")

    def hears(self, what: str = "") -> None:
        """Waits until something with `what` in it was heard."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if any(what in line for line in list(self.heard)):
                return
            self.pause(0.05)
        raise AssertionError(f"the third party did not hear {what!r}, only {self.heard}")

    def hears_nothing(self) -> None:
        """After a grace, nothing was heard, not even a connection."""
        self.pause(GRACE)
        assert self.heard == []

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._datagrams.close()


@contextlib.contextmanager
def listening() -> Iterator[ThirdParty]:
    """A third party for the length of a `with`."""
    party = ThirdParty()
    try:
        yield party
    finally:
        party.close()
