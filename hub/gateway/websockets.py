"""Websockets of kernels and terminals: two pumps, each waiting for its slower side, each message looked at and counted.

Memory is bounded: the reading side of a websocket stops reading when its small queue is full, the writing side waits
for the socket. Pings of the container end here, and nothing but text and binary messages is passed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import WSMsgType, hdrs, web

from access_control.errors import Invalid
from access_control.settings import Tier
from hub.gateway import messages
from hub.gateway.allowlist import Asked, Kind
from hub.gateway.aside import Aside, TookTooLong
from hub.gateway.budgets import Budgets, Paused
from hub.gateway.held import WatchedSocket
from hub.gateway.sessions import LiveSession
from hub.gateway.upstream import Upstream

MOST_WEBSOCKETS = 48  # of one session
CUT, PAUSED, UNREADABLE, GONE = 4001, 4008, 4002, 1011
CLOSING_SECONDS = 0.05  # for the closing words; then the connection is dropped
HEARTBEAT_SECONDS = 30.0
_AT_WORK = frozenset({"stream", "display_data", "execute_result", "execute_reply", "error"})


@dataclass(eq=False)
class Pump:
    """One websocket of a session."""

    session: LiveSession
    tier: Tier
    budgets: Budgets
    kind: Kind
    browser: web.WebSocketResponse
    container: WatchedSocket
    aside: Aside

    async def inwards(self) -> None:
        """From the browser to the container."""
        async for message in self.browser:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            self.session.touch()
            if self.kind is Kind.Kernel and not await self._may_go_in(message.data):
                continue
            if self.kind is Kind.Terminal and (message.type is not WSMsgType.TEXT or self._too_long(message.data)):
                continue
            await _send(self.container.send_str, self.container.send_bytes, message.data)

    def _too_long(self, data: str) -> bool:
        return len(data) > self.tier.paste_bytes + 64

    async def _may_go_in(self, data: bytes | str) -> bool:
        try:
            answers = await self.aside.may_go_in(self.session.id, data, self.tier)
        except TookTooLong:
            return False
        for answer in answers or ():
            await _send(self.browser.send_str, self.browser.send_bytes, answer)
        return answers is None

    async def outwards(self) -> None:
        """From the container to the browser."""
        async for message in self.container:
            if message.type is WSMsgType.TEXT:
                size = len(message.data) if message.data.isascii() else len(message.data.encode(errors="replace"))
            elif message.type is WSMsgType.BINARY:
                size = len(message.data)
            else:
                return
            data: bytes | str | None = message.data
            what = "terminal"
            if self.kind is Kind.Kernel:
                what, data = await self._look_at(message.data)
            # What is thrown away counts too, so that nobody can keep the gateway at it.
            delay = self.budgets.spend(self.session, size, what if data is not None else "dropped")
            if delay:
                await asyncio.sleep(delay)
            if data is not None:
                await _send(self.browser.send_str, self.browser.send_bytes, data)
            self.container.passed_on(size)

    async def _look_at(self, message: bytes | str) -> tuple[str, bytes | str | None]:
        try:
            kind, data = await self.aside.message(self.session.id, message, self.tier)
        except TookTooLong:
            return "other", messages.not_looked_at(message)
        what = messages.metered_as(kind)
        if what in _AT_WORK:
            self.session.touch()
        return what, data


async def _send(
    text: Callable[[str], Awaitable[None]], binary: Callable[[bytes], Awaitable[None]], data: bytes | str
) -> None:
    if isinstance(data, str):
        await text(data)
    else:
        await binary(data)


async def relay(
    request: web.BaseRequest,
    session: LiveSession,
    asked: Asked,
    *,
    upstream: Upstream,
    budgets: Budgets,
    tier: Tier,
    headers: dict[str, str],
    aside: Aside,
) -> web.StreamResponse:
    """Carries a websocket until one side closes it, the session is cut or its budget is passed."""
    wanted = {name.strip() for name in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")}
    kernel = asked.route.kind is Kind.Kernel
    offered = (messages.V1,) if kernel and messages.V1 in wanted else ()
    container = await upstream.websocket(asked.target, offered)
    chosen = (messages.V1,) if container.protocol == messages.V1 else ()
    browser = for_browser(chosen, headers)
    pump = Pump(session, tier, budgets, asked.route.kind, browser, container, aside)
    try:
        return await until_closed(request, session, browser, (pump.inwards, pump.outwards))
    finally:
        with suppress(TimeoutError, ConnectionError, aiohttp.ClientError):
            async with asyncio.timeout(1.0):
                await container.close()


async def stay_silent(request: web.BaseRequest, session: LiveSession, headers: dict[str, str]) -> web.StreamResponse:
    """Holds a websocket open and says nothing on it."""
    browser = for_browser((), headers)

    async def wait() -> None:
        async for message in browser:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return

    return await until_closed(request, session, browser, (wait,))


def for_browser(
    protocols: tuple[str, ...], headers: dict[str, str], *, compress: bool = False
) -> web.WebSocketResponse:
    """The browser's side of a websocket, with the gateway's headers and limits."""
    browser = web.WebSocketResponse(
        protocols=protocols,
        max_msg_size=messages.MOST_INWARDS,
        heartbeat=HEARTBEAT_SECONDS,
        compress=compress,
        timeout=1.0,
    )
    browser.headers.update({name: value for name, value in headers.items() if name != hdrs.CONTENT_TYPE})
    return browser


async def until_closed(
    request: web.BaseRequest,
    session: LiveSession,
    browser: web.WebSocketResponse,
    pumps: tuple[Callable[[], Coroutine[Any, Any, None]], ...],
) -> web.WebSocketResponse:
    """Runs the pumps until one ends or the session is cut, and tells the browser why."""
    task = asyncio.current_task()
    transport = request.transport
    if task is None or transport is None:
        raise ConnectionResetError
    told: list[str] = []

    def close(reason: str) -> None:
        told.append(reason)
        task.cancel()

    session.closers.add(close)
    session.websockets += 1
    code, words = GONE, "The session's server closed the connection."
    try:
        await browser.prepare(request)
        running = [asyncio.create_task(pump()) for pump in pumps]
        try:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for finished in done:
                finished.result()
        finally:
            for one in running:
                one.cancel()
    except Paused:
        code, words = PAUSED, "The session is paused: its budget is passed."
    except Invalid:
        code, words = UNREADABLE, "The session's server sent something that is not passed on."
    except (aiohttp.ClientError, ConnectionError):
        code = GONE  # either side went away: closing below is all there is to do
    except asyncio.CancelledError:
        if not told:
            raise
        task.uncancel()
        code, words = CUT, told[0]
    finally:
        session.closers.discard(close)
        session.websockets -= 1
        with suppress(TimeoutError, ConnectionError, RuntimeError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await browser.close(code=code, message=words.encode()[:120])
        if code != GONE:
            transport.abort()
    return browser


def is_websocket(request: web.BaseRequest) -> bool:
    """Whether the browser asks for a websocket."""
    return (
        request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"
        and "upgrade" in request.headers.get(hdrs.CONNECTION, "").lower()
    )
