"""A large answer of a container, passed on as it comes: metered piece by piece, its last bytes held back until they
were looked at.

Its length is never told ahead, so that it can be ended midway. A proxy before the gateway may keep its client waiting
when a connection breaks off (configurable-http-proxy does, however it breaks), so an answer that stops is brought to a
proper end that says why. It is JSON, which cannot be taken for whole: what is said lies behind the end of a string
or of a document.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp import HttpVersion11, web

from access_control.errors import AccessError
from hub.gateway import contents
from hub.gateway.budgets import Budgets
from hub.gateway.contents import Reading
from hub.gateway.sessions import LiveSession
from hub.gateway.upstream import UpstreamRefused

WHOLE = 256 * 1024  # up to here an answer is read whole and sent at once; more is streamed
EDGE = 4096
AHEAD = 512 * 1024  # of a large answer may wait for a slow browser
# Of a request that is being answered so: ends the answer at once, for the reason given.
END = web.RequestKey[Callable[[str], None]]("end")
BROKE_OFF = "The session's server stopped answering."
log = logging.getLogger(__name__)


@dataclass
class Streaming:
    """One such answer."""

    budgets: Budgets
    session: LiveSession
    upstream: aiohttp.ClientResponse
    reading: Reading
    path: str
    _passed: int = field(default=0, init=False)

    async def answer(self, request: web.BaseRequest, sent: dict[str, str]) -> web.StreamResponse:
        """Sends it; raises what `budgets` and `contents` raise as long as nothing was sent."""
        size = self.upstream.content_length
        if (size or 0) > self.reading.most:
            self.upstream.close()
            raise contents.TooLarge(f"This file is too large to be shown ({size} bytes). Read it in a notebook.")
        response = web.StreamResponse(headers=sent)
        if request.version >= HttpVersion11:
            response.enable_chunked_encoding()
        if request.transport is not None:
            request.transport.set_write_buffer_limits(high=AHEAD)
        request[END] = lambda reason: _end_at_once(request, response, reason)
        try:
            await self._send(request, response)
        except (AccessError, aiohttp.ClientError, OSError, TimeoutError) as error:
            if not response.prepared:
                raise
            log.info("session %s: an answer was ended midway: %s", self.session.id, error)
            await _end_midway(request, response, str(error) if isinstance(error, AccessError) else BROKE_OFF)
        except BaseException:
            # Its first bytes are out: a second answer behind them would be read as part of this one.
            if response.prepared and request.transport is not None:
                request.transport.abort()
            raise
        return response

    async def _send(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        held = b""  # what came last; never less than EDGE bytes once there were as many
        async for chunk in self.upstream.content.iter_any():
            if len(held) < EDGE or (len(chunk) < EDGE and len(held) < WHOLE):
                held += chunk
                continue
            if not response.prepared:
                contents.check_reading(self.reading, held, b"")
                await response.prepare(request)
            if len(chunk) < EDGE:
                held, chunk = held[:-EDGE], held[-EDGE:] + chunk  # noqa: PLW2901 - so that EDGE bytes are held back
            await self._write(response, held)
            held = chunk
        contents.check_reading(self.reading, b"" if self._passed else held, held)
        if not response.prepared:
            await response.prepare(request)
        await self._write(response, held)
        await response.write_eof()

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        if self._passed + len(data) > self.reading.most:
            raise UpstreamRefused("The session's server sent more than it may.")
        delay = self.budgets.spend(self.session, len(data), self.reading.what, self.path)
        if delay:
            await asyncio.sleep(delay)
        await response.write(data)
        self._passed += len(data)


async def _end_midway(request: web.BaseRequest, response: web.StreamResponse, sentence: str) -> None:
    transport = request.transport
    if transport is None:
        return
    if not response.chunked:
        transport.abort()
        return
    response.force_close()
    try:
        await response.write(_words(sentence))
        await response.write_eof()
    except (OSError, aiohttp.ClientError):
        transport.abort()


def _end_at_once(request: web.BaseRequest, response: web.StreamResponse, reason: str) -> None:
    """For a session that is cut: what still waits for a slow browser is thrown away, and no proper end is possible."""
    transport = request.transport
    if transport is None:
        return
    if response.prepared and response.chunked and transport.get_write_buffer_size() == 0:
        words = _words(reason)
        transport.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(words), words))
        transport.close()
    else:
        transport.abort()


def _words(sentence: str) -> bytes:
    return f"\n\nNot whole. {sentence}\n".encode()
