"""Whether a session's kernels compute, as its own server says.

That server may be the researcher's own and say what it likes: the answer only ever keeps a session from being idle,
and for `session.unattended_hours` at most after the person last did something.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from access_control import clock
from access_control.errors import Refused
from hub.gateway.upstream import Upstream, read_bounded

ANSWER_SECONDS = 3.0
MOST_BYTES = 256 * 1024
_AHEAD = timedelta(minutes=1)


async def at_work(upstream: Upstream, seconds: float) -> bool:
    """Asks the server for its kernels; False when it does not answer as Jupyter's does."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await upstream.request("GET", "/api/kernels")
            try:
                with upstream.held.keeping() as take:
                    body = await read_bounded(answer, MOST_BYTES, take)
            finally:
                answer.close()
        return answer.status == 200 and any_at_work(json.loads(body), seconds)
    except (OSError, aiohttp.ClientError, TimeoutError, ValueError, RecursionError, Refused):
        return False


def any_at_work(said: Any, seconds: float) -> bool:
    """Whether one of the kernels in a server's answer is busy, or did something within so many seconds."""
    now = clock.now().astimezone(UTC)
    for kernel in said if isinstance(said, list) else []:
        if not isinstance(kernel, dict):
            continue
        if kernel.get("execution_state") == "busy":
            return True
        try:
            last = datetime.fromisoformat(str(kernel.get("last_activity")))
        except ValueError:
            continue
        if last.tzinfo is not None and now - timedelta(seconds=seconds) < last <= now + _AHEAD:
            return True
    return False
