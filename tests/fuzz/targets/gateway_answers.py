"""A container's answers, byte for byte, through the whole gateway to a browser: what comes out is the gateway's own."""

from __future__ import annotations

import asyncio
import atexit
import functools
import logging
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds
from tests.unit.hub.gateway import gateway_rig

_OWN = {"content-security-policy", "connection-allowlist", "x-content-type-options", "referrer-policy", "cross-origin-opener-policy", "cross-origin-resource-policy", "permissions-policy",
        "x-dns-prefetch-control", "x-robots-tag", "origin-agent-cluster", "server", "cache-control", "content-type", "content-length", "date", "connection", "transfer-encoding", "keep-alive"}  # fmt: skip
_LINES = ("Set-Cookie: a=b", "Content-Type: text/html", "Content-Type: application/json", "Content-Type: image/svg+xml", "Content-Type: image/png", "Location: http://evil", "Content-Encoding: gzip",
          "Transfer-Encoding: chunked", "Content-Length: 2", "Content-Length: -1", "Content-Length: 99999999999", "Connection: upgrade", "Upgrade: h2c", "Refresh: 0", "Content-Security-Policy: x",
          "X: " + "y" * 5000, " folded", ":", "Proxy-Authenticate: x", "Trailer: X", "Clear-Site-Data: *", "Access-Control-Allow-Origin: *", "Content-Disposition: attachment", "Link: <x>; rel=preload",
          "Service-Worker-Allowed: /", "X\0: y", "Set-Cookie2: x", "Keep-Alive: x", "Content-Type: APPLICATION/JSON;x", "SourceMap: x", "Server: evil", "Date: x")  # fmt: skip
_STATUS = (
    "200 OK",
    "404 Not Found",
    "301 Moved",
    "304 Not Modified",
    "101 Switching Protocols",
    "100 Continue",
    "204 No",
    "500 E",
    "999 X",
    "200",
    "-1 x",
    "103 Early Hints",
    "407 P",
    "600 x",
)
_TARGETS = (
    "/api/contents/a.txt?type=file",
    "/api/contents/a.ipynb?type=notebook",
    "/api/kernels",
    "/kernelspecs/python3/logo.svg",
    "/api/contents/x",
    "/api",
    "/lab/api/settings",
)
_BODIES = (b"{}", b"[]", b'{"format": "base64", "content": "AA"}', b"<svg onload=x></svg>", b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", b"", b"2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n0\r\nSet-Cookie: t=1\r\n\r\n",
           b"<script>1</script>", b'{"content": {"cells": [{"outputs": [1]}]}, "type": "notebook"}', b"\x89PNG", b"[" * 3000)  # fmt: skip


class _Running:
    """One gateway for all inputs, in an event loop of its own, before a server that says what it is told to."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.said = b""
        self.faults: list[str] = []
        self.loop.set_exception_handler(
            lambda _loop, context: self.faults.append(repr(context.get("exception") or context["message"]))
        )
        self.stack = AsyncExitStack()
        logging.getLogger("hub").setLevel(logging.CRITICAL)  # a line for each hostile answer
        self.folder = tempfile.TemporaryDirectory(prefix="fuzz-")
        atexit.register(lambda: self.loop.run_until_complete(self.stack.aclose()))
        self.rigs = [self.loop.run_until_complete(self._begin(tier)) for tier in (0, 3)]

    async def _begin(self, tier: int) -> Any:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(self.said)
                await writer.drain()
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        folder = Path(self.folder.name) / str(tier)
        folder.mkdir()
        return await self.stack.enter_async_context(gateway_rig.rig_for(folder, serve, tier=tier))


@functools.cache
def _running() -> _Running:
    return _Running()


def run(data: bytes) -> None:
    choices = Choices(data)
    target = choices.pick(_TARGETS)
    here = _running()
    rig = here.rigs[choices.number(1)]
    if choices.number(4) == 0:
        here.said = choices.rest()
    else:
        lines = [
            f"HTTP/1.{choices.pick('1101')} {choices.pick(_STATUS) if choices.flag() else _STATUS[0]}",
            *(choices.text(_LINES) for _ in range(choices.number(5))),
        ]
        if choices.flag():
            lines.insert(1, "Content-Type: application/json")
        head = choices.pick(("\r\n", "\r\n", "\r\n", "\n")).join(lines).encode("utf-8", "replace")
        body = choices.pick(_BODIES) if choices.flag() else choices.some(90)
        if choices.flag():
            head += b"\r\nContent-Length: %d" % len(body)
        here.said = head + b"\r\n\r\n" + body
    rig.session.lease = None
    rig.gateway.registry.renew([rig.session.id], 3600)
    answer = here.loop.run_until_complete(_ask(rig, target))
    holds(not here.faults, f"an error that nobody takes: {here.faults[:1]}")
    if answer is None:
        return
    odd = {name.lower() for name in answer.headers} - _OWN
    holds(not odd, f"a header that is not the gateway's: {sorted(odd)[:3]}")
    holds(
        answer.headers.get("Server") == "enclave" and "sandbox" in answer.headers["Content-Security-Policy"],
        "the gateway's own headers are there",
    )
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    shown = kind in ("application/json", "image/png", "image/gif", "image/jpeg", "image/webp", "image/svg+xml") or (
        kind == "text/html" and answer.status >= 400
    )
    holds(shown or answer.status == 204, f"an answer of {answer.status} is {kind[:40]}")
    holds(kind != "image/svg+xml" or b"onload" not in answer.body, "a logo is a plain picture")


async def _ask(rig: Any, target: str) -> Any:
    try:
        async with asyncio.timeout(20):
            return await rig.get(target)
    except (gateway_rig.aiohttp.ClientError, ConnectionError):
        return None  # the gateway broke off an answer that it had begun


def start() -> list[bytes]:
    return [bytes([n % 7, n % 2, 1]) + bytes(range(n * 5, n * 5 + 90)) for n in range(30)] + [
        b"\x00\x00\x00" + gateway_rig.json_answer(b"{}")
    ]


TARGET = Target(
    "gateway_answers",
    "a container's answers through the whole gateway",
    run,
    start,
    tuple(line.encode() for line in (*_LINES, *_STATUS)),
    ("aiohttp",),
    longest=4096,
    share=1.5,
)
