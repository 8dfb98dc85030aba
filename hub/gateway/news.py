"""What the gateway tells the page of a session by itself: how it stands with its budget, and that it is about to end.

The page asks for it now and then, and holds a websocket on which it comes at once: a warning of five seconds is over
before the next question.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from hub.gateway.budgets import Budgets, Level
from hub.gateway.sessions import LiveSession
from hub.gateway.websockets import for_browser, until_closed

MEMORY_SECONDS = 60.0  # for which the page says that memory ran out


def status(session: LiveSession, budgets: Budgets) -> dict[str, Any]:
    """What the page shows; `ends_in` is there when the session is about to be cut."""
    told = budgets.describe(session) | {"sentence": budgets.sentence(session)}
    if session.warning:
        left = max(0, math.ceil(session.cut_at - time.monotonic()))
        told |= {"level": "ending", "ends_in": left, "sentence": session.warning}
    elif told["level"] != Level.Paused and time.monotonic() - session.memory_at < MEMORY_SECONDS:
        told |= {"level": "memory", "sentence": session.memory}
    return told


async def tell(
    request: web.BaseRequest, session: LiveSession, current: Callable[[], dict[str, Any]], headers: dict[str, str]
) -> web.StreamResponse:
    """Sends `current()` now and at each change, until the page goes or the session is cut; listens to nothing."""
    browser = for_browser((), headers)
    changed = asyncio.Event()

    async def speak() -> None:
        while True:
            await browser.send_json(current())
            await changed.wait()
            changed.clear()

    async def listen() -> None:
        async for message in browser:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return

    session.listeners.add(changed.set)
    try:
        return await until_closed(request, session, browser, (speak, listen))
    finally:
        session.listeners.discard(changed.set)
