"""Passing a request on to the container and its answer back: bounded, metered, with nothing but the body let
through.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from aiohttp import hdrs, web

from access_control.errors import Invalid, NotPermitted
from access_control.settings import Tier
from hub.gateway import contents, headers, printed
from hub.gateway.allowlist import Asked, Kind
from hub.gateway.aside import Aside, TookTooLong
from hub.gateway.budgets import Budgets
from hub.gateway.contents import Reading
from hub.gateway.sessions import LiveSession
from hub.gateway.streaming import END, WHOLE, Streaming
from hub.gateway.upstream import Upstream, UpstreamRefused, read_bounded

MOST_JSON = 8 * 1024 * 1024
MOST_LOGO = 512 * 1024
ANSWER = 64  # bytes that an answer counts besides its body: its status and its time say something too
NOT_LOOKED_AT = (
    "The enclave could not look at this file in the time it has for one, so it is not shown. Clear the outputs "
    "that are largest from a kernel, with nbformat, and open it again."
)


@dataclass
class Passing:
    """Passes HTTP requests on; one for the whole gateway."""

    budgets: Budgets
    aside: Aside

    async def pass_on(
        self,
        request: web.BaseRequest,
        session: LiveSession,
        asked: Asked,
        *,
        upstream: Upstream,
        tier: Tier,
        sent: dict[str, str],
    ) -> web.StreamResponse:
        """Asks the container and answers the browser; raises what `upstream`, `contents` and `budgets` raise.

        What is kept of it in memory counts until the browser has taken it.
        """
        transport = request.transport

        def close(reason: str) -> None:
            if END in request:
                request[END](reason)
            elif transport is not None:
                transport.abort()

        session.closers.add(close)
        try:
            with upstream.held.keeping() as take:
                answer = await self._pass_on(
                    request, session, asked, upstream=upstream, tier=tier, sent=sent, take=take
                )
                await answer.prepare(request)
                await answer.write_eof()
            return answer
        finally:
            session.closers.discard(close)

    async def _pass_on(
        self,
        request: web.BaseRequest,
        session: LiveSession,
        asked: Asked,
        *,
        upstream: Upstream,
        tier: Tier,
        sent: dict[str, str],
        take: Callable[[int], None],
    ) -> web.StreamResponse:
        body = await _read_body(request, asked, take)
        reading: Reading | None = None
        target = asked.target
        if asked.route.kind is Kind.Contents:
            if request.method == "GET":
                reading = contents.plan_reading(asked.rest, dict(asked.query), tier)
                target = Asked(asked.route, asked.path, asked.rest, reading.query).target
            elif request.method == "PUT":
                await self.aside.writing(session.id, asked.rest, body or b"", tier)
        answer = await upstream.request(request.method, target, body)
        try:
            return await self._answer(
                request, session, asked, answer=answer, reading=reading, tier=tier, sent=sent, take=take
            )
        finally:
            answer.release()

    async def _answer(
        self,
        request: web.BaseRequest,
        session: LiveSession,
        asked: Asked,
        *,
        answer: aiohttp.ClientResponse,
        reading: Reading | None,
        tier: Tier,
        sent: dict[str, str],
        take: Callable[[int], None],
    ) -> web.StreamResponse:
        self.budgets.spend(session, ANSWER, "answers")
        kind = headers.bare_type(answer.headers.get(hdrs.CONTENT_TYPE))
        if answer.status in (204, 205):
            return web.Response(status=204, headers={k: v for k, v in sent.items() if k != hdrs.CONTENT_TYPE})
        if asked.route.kind is Kind.Image:
            if answer.status != 200 or kind not in (*headers.IMAGES, headers.SVG):
                raise NotPermitted("The kernel has no logo that can be shown.")
            logo = await read_bounded(answer, MOST_LOGO, take)
            if kind == headers.SVG:
                svg = printed.inert_svg(logo.decode(errors="replace"))
                if svg is None:
                    raise NotPermitted("The kernel's logo is not a plain picture.")
                logo = svg.encode()
            return await self._send(session, 200, logo, what="image", sent=sent | {hdrs.CONTENT_TYPE: kind})
        if kind != headers.JSON:
            return _in_words(answer.status, sent)
        what = reading.what if reading else "json"
        path = asked.rest if reading and reading.what != "listing" else ""
        most = reading.most if reading else MOST_JSON
        size = answer.content_length
        if reading is None or answer.status != 200 or (size is not None and size <= WHOLE) or reading.parse:
            whole = await read_bounded(answer, most, take)
            if reading is not None and answer.status == 200:
                whole = await self._look_at(session, reading, whole, tier)
            return await self._send(session, answer.status, whole, what=what, sent=sent, path=path)
        return await Streaming(self.budgets, session, answer, reading, path).answer(request, sent)

    async def _look_at(self, session: LiveSession, reading: Reading, whole: bytes, tier: Tier) -> bytes:
        contents.check_reading(reading, whole, whole)
        if not reading.parse:
            return whole
        try:
            return await self.aside.reading(session.id, reading, whole, tier)
        except (ValueError, RecursionError, Invalid) as error:
            raise UpstreamRefused("The session's server answered with something that is not JSON.") from error
        except TookTooLong as error:
            raise NotPermitted(NOT_LOOKED_AT) from error

    async def _send(
        self, session: LiveSession, status: int, body: bytes, *, what: str, sent: dict[str, str], path: str = ""
    ) -> web.Response:
        delay = self.budgets.spend(session, len(body), what, path)
        if delay:
            await asyncio.sleep(delay)
        return web.Response(status=status, body=body, headers=sent)


async def _read_body(request: web.BaseRequest, asked: Asked, take: Callable[[int], None]) -> bytes | None:
    if request.method in ("GET", "DELETE"):
        return None
    most = asked.route.body_bytes
    if (request.content_length or 0) > most:
        raise contents.TooLarge(f"What was sent is larger than the {most} bytes that the enclave takes here.")
    if request.headers.get(hdrs.CONTENT_ENCODING):
        raise NotPermitted("The enclave takes no compressed requests.")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > most:
            raise contents.TooLarge(f"What was sent is larger than the {most} bytes that the enclave takes here.")
        take(len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)


def _in_words(status: int, sent: dict[str, str]) -> web.Response:
    """An answer that is not JSON: its status is told, its body is not."""
    said = {"message": f"The session's server answered with status {status} and no JSON.", "reason": "not passed on"}
    return web.Response(status=status if status >= 400 else 502, body=json.dumps(said).encode(), headers=sent)
