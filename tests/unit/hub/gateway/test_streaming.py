"""Large answers that end midway: nobody behind a proxy is left waiting, and nobody takes a part for the whole."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from hub.programs import find_proxy
from tests.unit.hub.gateway.gateway_rig import Serve

Rig = Callable[..., Any]
FILE = "/api/contents/notes.txt?type=file&format=text&content=1"
BUDGET = {"bytes_per_day": 900_000}


def telling(size: int, *, told: int | None = None, hold: bool = False) -> Serve:
    """A server that answers with a file of `size` bytes, of which it sends `told`; with `hold` it then waits."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = '{"type":"file","format":"text","content":"'
        body = (head + "x" * (size - len(head) - 2) + '"}').encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % size)
        try:
            for start in range(0, told or size, 50_000):
                writer.write(body[:told][start : start + 50_000])
                await writer.drain()
                await asyncio.sleep(0.01)
            if hold:
                await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    return serve


@asynccontextmanager
async def proxy_before(port: int) -> AsyncIterator[int]:
    """configurable-http-proxy in front of a gateway."""
    free = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    own, api = (one.getsockname()[1] for one in free)
    for one in free:
        one.close()
    process = await asyncio.create_subprocess_exec(
        find_proxy(), "--ip", "127.0.0.1", "--port", str(own), "--api-ip", "127.0.0.1", "--api-port", str(api),
        "--default-target", f"http://127.0.0.1:{port}",
        env={"PATH": os.environ["PATH"], "CONFIGPROXY_AUTH_TOKEN": "x"},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(600):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", own)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            break
        yield own
    finally:
        process.terminate()
        await process.wait()


async def read_all(made: Any, port: int, during: Callable[[bytes], None] = lambda _: None) -> tuple[int, bytes, bool]:
    """Status and body of the file as a client gets them, and whether its end was a proper one."""
    got = b""
    url = aiohttp.client.URL(f"http://127.0.0.1:{port}{FILE}", encoded=True)
    async with asyncio.timeout(60), made.client.get(url, headers=made.headers()) as answer:
        try:
            async for chunk in answer.content.iter_any():
                got += chunk
                during(got)
        except aiohttp.ClientPayloadError:
            return answer.status, got, False
        return answer.status, got, True


def ask(rig: Rig, serve: Serve, during: Callable[[Any, bytes], None] = lambda _made, _got: None) -> Any:
    async def inside() -> Any:
        async with (
            rig(serve, settings={"tiers": {str(tier): BUDGET for tier in range(5)}}) as made,
            proxy_before(made.port) as port,
        ):
            return await read_all(made, port, lambda got: during(made, got))

    return asyncio.run(inside())


def test_a_whole_one_comes_whole(rig: Rig) -> None:
    status, body, whole = ask(rig, telling(500_000))
    assert (status, whole, len(json.loads(body)["content"])) == (200, True, 500_000 - 44)


def test_the_budget_that_cuts_an_answer_is_said_behind_it(rig: Rig) -> None:
    status, body, whole = ask(rig, telling(1_900_000))
    assert (status, whole) == (200, True)
    assert len(body) < 1_300_000
    assert b"Not whole. This session has passed the amount of data" in body[-400:]
    with pytest.raises(ValueError, match="control character"):
        json.loads(body)


def test_a_server_that_breaks_off_is_said_behind_it(rig: Rig) -> None:
    _, body, whole = ask(rig, telling(1_900_000, told=400_000))
    assert whole
    assert body.endswith(b"Not whole. The session's server stopped answering.\n")


def test_a_session_that_is_cut_is_said_behind_it(rig: Rig) -> None:
    def cut(made: Any, got: bytes) -> None:
        if got:
            made.gateway.registry.cut(made.session.id, "Your access has ended.")

    _, body, whole = ask(rig, telling(1_900_000, told=400_000, hold=True), cut)
    assert whole
    assert body.endswith(b"Not whole. Your access has ended.\n")
