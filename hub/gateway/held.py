"""How much of one session the gateway keeps in memory: bodies on their way, and messages that are not whole yet.

Each of them has its own limit, but a session can have many at once: the researcher owns both ends. So all of a
session's together have one too, and who passes it loses the request or the websocket that did, not everybody's
gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from aiohttp import StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage

from access_control.errors import Refused

MOST_BEFORE = 16  # answers before the answer
MOST_HELD = 128 * 1024 * 1024  # bytes of one session


class TooMuchAtOnce(Refused):
    """The session has too much on its way already."""


class Held:
    """The bytes of one session that are in memory now."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self.most = most
        self.bytes = 0

    def take(self, size: int) -> None:
        """Counts bytes in; raises TooMuchAtOnce, and does not count them, when they are too many."""
        if self.bytes + size > self.most:
            raise TooMuchAtOnce("This session has too much on its way at once. Wait until what is open has come.")
        self.bytes += size

    def give(self, size: int) -> None:
        """Counts them out."""
        self.bytes -= size

    @contextmanager
    def keeping(self) -> Iterator[Callable[[int], None]]:
        """For the length of one request: gives a function that counts bytes in, and counts them all out at its end."""
        kept = 0

        def take(size: int) -> None:
            nonlocal kept
            self.take(size)
            kept += size

        try:
            yield take
        finally:
            self.give(kept)


class PatientProtocol(ResponseHandler):
    """A connection on which an answer comes at last: what may come before it (100, 103) comes a few times only."""

    _before = 0

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Ends the connection of a server that has more to say before its answer than any has."""
        if 100 <= data[0].code < 200 and data[0].code != 101:
            self._before += 1
            if self._before > MOST_BEFORE:
                self.set_exception(aiohttp.ClientPayloadError("the answer never comes"))
                if self.transport is not None:
                    self.transport.abort()
                return
        else:
            self._before = 0
        super().feed_data(data, size)


class WatchedProtocol(PatientProtocol):
    """A connection of a websocket: what has come and was not passed on yet counts as held."""

    def __init__(self, loop: asyncio.AbstractEventLoop, held: Held) -> None:
        super().__init__(loop)
        self._held = held
        self._waiting = 0

    def data_received(self, data: bytes) -> None:
        """Ends the connection when the session holds too much."""
        try:
            self._held.take(len(data))
        except TooMuchAtOnce:
            if self.transport is not None:
                self.transport.abort()
            return
        self._waiting += len(data)
        super().data_received(data)

    def passed_on(self, size: int) -> None:
        """A message of so many bytes is gone, and the head of its frame."""
        gone = min(self._waiting, size + (2 if size < 126 else 4 if size < 65536 else 10))
        self._waiting -= gone
        self._held.give(gone)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Whatever had come is gone too."""
        self._held.give(self._waiting)
        self._waiting = 0
        super().connection_lost(exc)


class WatchedSocket(aiohttp.ClientWebSocketResponse):
    """A websocket to a container that tells its connection what was passed on."""

    def __init__(self, reader: Any, writer: Any, protocol: Any, response: Any, *more: Any, **named: Any) -> None:
        super().__init__(reader, writer, protocol, response, *more, **named)
        connection = response.connection
        self._watched = connection.protocol if connection is not None else None

    def passed_on(self, size: int) -> None:
        """The message of so many bytes that was received last is no longer held."""
        if isinstance(self._watched, WatchedProtocol):
            self._watched.passed_on(size)
