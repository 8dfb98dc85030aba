"""The client towards a container's server: bounded in every direction, because that server may be the researcher's own.

Nothing that it says is believed: no redirect is followed, no cookie kept, nothing decompressed, no protocol changed
but to a websocket that was asked for; lines, fields, their number, bodies and waiting times have limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import hdrs
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from access_control.errors import Refused
from hub.gateway import safe_socket
from hub.gateway.held import Held, PatientProtocol, TooMuchAtOnce, WatchedProtocol, WatchedSocket

CONNECT_SECONDS = 5
SILENCE_SECONDS = 60  # the longest that a container may leave us waiting for the next byte of an answer
TOTAL_SECONDS = 300
MOST_CONNECTIONS = 64  # of one session: JupyterLab uses six, and one a kernel and terminal
MOST_HEADERS = 48
MOST_HEADER_BYTES = 4096
READ_BUFFER = 256 * 1024
MOST_MESSAGE_BYTES = 32 * 1024 * 1024

# Jupyter Server asks for its double-submit token on whatever changes state. Its defence is against other sites, which
# the
# gateway has already refused; the value is no secret.
_XSRF = {"Cookie": "_xsrf=gateway", "X-XSRFToken": "gateway"}


@lru_cache(maxsize=4096)
def _address(target: str) -> URL:
    return URL("http://localhost" + target, encoded=True)


class UpstreamRefused(Refused):
    """The container's answer is not one that may be passed on."""


class _SafeConnector(aiohttp.BaseConnector):
    """Connects every request to one container's socket, by `safe_socket.connect`."""

    allowed_protocol_schema_set = frozenset({"http", "ws"})

    def __init__(self, path: Path, uid: int, held: Held | None = None) -> None:
        """With `held` each connection is used once and watched, as a websocket's has to be."""
        if held is None:
            super().__init__(limit=MOST_CONNECTIONS, keepalive_timeout=30)
            self._factory = partial(PatientProtocol, self._loop)  # type: ignore[assignment]
        else:
            super().__init__(limit=MOST_CONNECTIONS, force_close=True)
            self._factory = partial(WatchedProtocol, self._loop, held)  # type: ignore[assignment]
        self._path = path
        self._uid = uid

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> ResponseHandler:  # noqa: ASYNC109 - the name is aiohttp's
        async with asyncio.timeout(timeout.sock_connect):
            connection = await safe_socket.connect(self._path, self._uid)
            _, protocol = await self._loop.create_unix_connection(self._factory, sock=connection)
        return protocol


class Upstream:
    """The server of one session."""

    def __init__(self, path: Path, uid: int) -> None:
        self.held = Held()
        self._client = self._client_of(_SafeConnector(path, uid))
        self._sockets = self._client_of(_SafeConnector(path, uid, self.held))

    @staticmethod
    def _client_of(connector: _SafeConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            ws_response_class=WatchedSocket,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            read_bufsize=READ_BUFFER,
            max_line_size=MOST_HEADER_BYTES,
            max_field_size=MOST_HEADER_BYTES,
            max_headers=MOST_HEADERS,
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
            timeout=aiohttp.ClientTimeout(
                total=TOTAL_SECONDS,
                sock_connect=CONNECT_SECONDS,
                sock_read=SILENCE_SECONDS,
                connect=CONNECT_SECONDS * 2,
            ),
        )

    async def request(self, method: str, target: str, body: bytes | None = None) -> aiohttp.ClientResponse:
        """Sends a request whose `target` is an already encoded path with its query; the caller releases the answer.

        Raises OSError, aiohttp.ClientError or TimeoutError when the container does not answer, Refused when it must not
        be listened to.
        """
        headers = {"Accept": "application/json, image/*", "Accept-Encoding": "identity", **_XSRF}
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = _address(target)
        answer = await self._client.request(method, url, data=body, headers=headers, allow_redirects=False)
        try:
            check_answer(answer)
        except Refused:
            answer.close()
            raise
        return answer

    async def websocket(self, target: str, protocols: tuple[str, ...]) -> WatchedSocket:
        """Opens a websocket; pings of the container are answered here and never passed on."""
        opened = await self._sockets.ws_connect(
            _address(target),
            protocols=protocols,
            max_msg_size=MOST_MESSAGE_BYTES,
            compress=0,
            autoping=True,
            headers=_XSRF,
            timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
        )
        assert isinstance(opened, WatchedSocket)  # noqa: S101 - the class that the client was given
        return opened

    async def answers(self, seconds: float = 2.0) -> bool:
        """Whether a Jupyter server answers on the socket."""
        try:
            async with asyncio.timeout(seconds):
                answer = await self.request("GET", "/api")
                ok = answer.status == 200
                answer.close()
                return ok
        except (OSError, aiohttp.ClientError, TimeoutError, Refused):
            return False

    async def close(self) -> None:
        """Closes every connection to the container."""
        await self._client.close()
        await self._sockets.close()


def check_answer(answer: aiohttp.ClientResponse) -> None:
    """Raises UpstreamRefused for an answer of a kind that JupyterLab's own server does not give here."""
    if answer.status < 200 or 300 <= answer.status < 400 or answer.status > 599:
        raise UpstreamRefused(f"The session's server answered with status {answer.status}, which is not passed on.")
    encoding = answer.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
    if encoding != "identity":
        raise UpstreamRefused("The session's server compressed its answer unasked; that is not passed on.")


async def read_bounded(answer: aiohttp.ClientResponse, most: int, take: Callable[[int], None]) -> bytes:
    """The body of an answer, `most` bytes at most; raises UpstreamRefused when there is more, and what `take` raises.

    `take` is told of each piece before it is kept.
    """
    if (answer.content_length or 0) > most:
        answer.close()
        raise UpstreamRefused(f"The session's server sent more than {most} bytes, which is not passed on.")
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.content.iter_any():
        size += len(chunk)
        if size > most:
            answer.close()
            raise UpstreamRefused(f"The session's server sent more than {most} bytes, which is not passed on.")
        try:
            take(len(chunk))
        except TooMuchAtOnce:
            answer.close()
            raise
        chunks.append(chunk)
    return b"".join(chunks)
