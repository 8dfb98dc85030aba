"""Websockets through the gateway, before an honest and a hostile kernel."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from hub.gateway import messages, websockets
from tests.unit.hub.gateway.gateway_rig import SESSION, rig_for
from tests.unit.hub.gateway.test_messages import binary

CHANNELS = "/api/kernels/abc/channels?session_id=1"
Kernel = Callable[[web.WebSocketResponse], Awaitable[None]]


def through(folder: Path, kernel: Kernel, asks: Callable[[Any], Awaitable[Any]], **more: Any) -> Any:
    """Runs `asks` with a gateway whose container is a websocket server that runs `kernel` on each connection."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=(messages.V1,), max_msg_size=0)
        await socket.prepare(request)
        await kernel(socket)
        return socket

    async def inside() -> Any:
        runner = web.ServerRunner(web.Server(serve), shutdown_timeout=0.1)
        await runner.setup()
        await web.UnixSite(runner, str(folder / "s.sock")).start()
        try:
            async with rig_for(folder, None, **more) as made:
                return await asks(made)
        finally:
            await runner.cleanup()

    return asyncio.run(inside())


async def echo(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        taken = messages.split(message.data)
        await socket.send_bytes(binary("iopub", "stream", {"got": taken.kind}))


def saying(*data: bytes | str) -> Kernel:
    async def kernel(socket: web.WebSocketResponse) -> None:
        for one in data:
            await (socket.send_str(one) if isinstance(one, str) else socket.send_bytes(one))
        await asyncio.sleep(30)

    return kernel


def execute(code: str = "1") -> bytes:
    return binary("shell", "execute_request", {"code": code})


def test_a_message_goes_there_and_back_and_is_counted_by_type(tmp_path: Path) -> None:
    async def asks(made: Any) -> tuple[str | None, bytes, Any]:
        async with made.websocket(CHANNELS, protocols=[messages.V1]) as socket:
            await socket.send_bytes(execute())
            answer = await socket.receive_bytes()
            return socket.protocol, answer, made.gateway.budgets.flow(SESSION).by_type

    protocol, answer, flow = through(tmp_path, echo, asks)
    assert protocol == messages.V1
    assert b"execute_request" in answer
    assert list(flow) == ["stream"]


def test_the_handshake_carries_our_headers(tmp_path: Path) -> None:
    async def asks(made: Any) -> str:
        async with made.websocket(CHANNELS) as socket:
            return str(socket._response.headers["Content-Security-Policy"])

    assert "sandbox" in through(tmp_path, echo, asks)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://enclave.localhost:8000", ""])
def test_a_websocket_from_another_site_is_refused(tmp_path: Path, origin: str) -> None:
    async def asks(made: Any) -> int:
        headers = made.headers() | {"Origin": origin}
        if not origin:
            del headers["Origin"]
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await made.client.ws_connect(f"http://127.0.0.1:{made.port}{CHANNELS}", headers=headers)
        return caught.value.status

    assert through(tmp_path, echo, asks) == 403


def test_what_jupyterlab_does_not_send_does_not_go_in(tmp_path: Path) -> None:
    async def asks(made: Any) -> bytes:
        async with made.websocket(CHANNELS, protocols=[messages.V1]) as socket:
            await socket.send_bytes(b"\0" * 50)
            await socket.send_str("[]")
            await socket.send_bytes(binary("shell", "invented", {}))
            await socket.send_bytes(binary("iopub", "stream", {}))
            await socket.send_bytes(execute())
            return bytes(await socket.receive_bytes())

    assert b"execute_request" in through(tmp_path, echo, asks)


def test_too_much_code_is_answered_below_the_cell(tmp_path: Path) -> None:
    async def asks(made: Any) -> list[str]:
        async with made.websocket(CHANNELS, protocols=[messages.V1]) as socket:
            await socket.send_bytes(execute("x" * 20_000))
            return [messages.split(await socket.receive_bytes()).kind for _ in range(3)]

    assert through(tmp_path, echo, asks, tier=4) == ["error", "execute_reply", "status"]


def test_a_cut_closes_at_once_with_its_reason(tmp_path: Path) -> None:
    async def asks(made: Any) -> tuple[float, int | None, str]:
        async with made.websocket(CHANNELS) as socket, made.websocket("/api/events/subscribe") as silent:
            await asyncio.sleep(0.2)
            begin = time.monotonic()
            made.gateway.registry.cut(SESSION, "Your clearance has ended.")
            message = await socket.receive()
            assert (await silent.receive()).type is WSMsgType.CLOSE
            return time.monotonic() - begin, message.data, message.extra

    seconds, code, words = through(tmp_path, echo, asks)
    assert code == websockets.CUT
    assert words == "Your clearance has ended."
    assert seconds < 5  # benchmarks/revocation.py holds it to 0.1


def test_a_cut_does_not_wait_for_a_browser_that_does_not_read(tmp_path: Path) -> None:
    async def flood(socket: web.WebSocketResponse) -> None:
        big = binary("iopub", "stream", {"text": "x" * 100_000})
        while not socket.closed:
            await socket.send_bytes(big)

    async def asks(made: Any) -> int:
        socket = await made.websocket(CHANNELS)
        await asyncio.sleep(0.5)  # nothing is read meanwhile, so both sides stand still
        made.gateway.registry.cut(SESSION, "over")
        for _ in range(500):
            if made.session.websockets == 0:
                break
            await asyncio.sleep(0.02)
        await socket.close()
        return int(made.session.websockets)

    assert through(tmp_path, flood, asks) == 0


def test_a_flood_is_held_back_by_the_slower_side(tmp_path: Path) -> None:
    sent = 0

    async def flood(socket: web.WebSocketResponse) -> None:
        nonlocal sent
        big = binary("iopub", "stream", {"text": "x" * 1_000_000})
        while not socket.closed:
            await socket.send_bytes(big)
            sent += 1

    async def asks(made: Any) -> None:
        socket = await made.websocket(CHANNELS, max_msg_size=0)
        await asyncio.sleep(1.0)
        await socket.close()

    through(tmp_path, flood, asks)
    assert sent < 60


def test_a_flood_is_paused_by_the_budget(tmp_path: Path) -> None:
    tier = {"bytes_per_minute": 60_000_000, "burst_bytes": 100_000, "bytes_per_day": 10_000_000}

    async def flood(socket: web.WebSocketResponse) -> None:
        while not socket.closed:
            await socket.send_bytes(binary("iopub", "display_data", {"data": {"text/plain": "x" * 10_000}}))

    async def asks(made: Any) -> tuple[int, Any]:
        got = 0
        async with made.websocket(CHANNELS) as socket:
            async for message in socket:
                got += len(message.data)
            return got, socket.close_code

    settings = {"tiers": dict.fromkeys(range(5), tier)}
    got, code = through(tmp_path, flood, asks, settings=settings)
    assert got < 400_000
    assert code == websockets.PAUSED


def test_pings_of_the_container_do_not_reach_the_browser(tmp_path: Path) -> None:
    async def pinging(socket: web.WebSocketResponse) -> None:
        for n in range(20):
            await socket.ping(f"secret {n}".encode())
        await socket.send_bytes(binary("iopub", "stream", {}))
        await asyncio.sleep(30)

    async def asks(made: Any) -> list[Any]:
        async with made.websocket(CHANNELS, autoping=False) as socket:
            return [(await socket.receive()).type]

    assert through(tmp_path, pinging, asks) == [WSMsgType.BINARY]


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 8, b"\xff" * 64, "{}", "null", "[" * 50_000, binary("iopub", "stream", {})[:-3]]
)
def test_what_is_no_message_closes_the_websocket(tmp_path: Path, data: bytes | str) -> None:
    async def asks(made: Any) -> Any:
        async with made.websocket(CHANNELS) as socket:
            return (await socket.receive()).data

    assert through(tmp_path, saying(data), asks) == websockets.UNREADABLE


def test_closing_words_of_the_container_are_not_passed_on(tmp_path: Path) -> None:
    async def rude(socket: web.WebSocketResponse) -> None:
        await socket.close(code=4999, message=b"secret data in a reason")

    async def asks(made: Any) -> tuple[Any, Any]:
        async with made.websocket(CHANNELS) as socket:
            message = await socket.receive()
            return message.data, message.extra

    code, words = through(tmp_path, rude, asks)
    assert code == websockets.GONE
    assert "secret" not in words


def test_a_message_over_the_limit_ends_the_websocket(tmp_path: Path) -> None:
    async def huge(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(binary("iopub", "stream", {"text": "x" * 33 * 1024 * 1024}))
        await asyncio.sleep(30)

    async def asks(made: Any) -> Any:
        async with made.websocket(CHANNELS, max_msg_size=0) as socket:
            return (await socket.receive()).type

    assert through(tmp_path, huge, asks) in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR)


def test_the_number_of_websockets_is_bounded(tmp_path: Path) -> None:
    async def asks(made: Any) -> int:
        made.session.websockets = websockets.MOST_WEBSOCKETS
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await made.websocket(CHANNELS)
        made.session.websockets = 0
        return caught.value.status

    assert through(tmp_path, echo, asks) == 429


def test_a_terminal_is_metered_and_its_paste_limited(tmp_path: Path) -> None:
    async def terminal(socket: web.WebSocketResponse) -> None:
        async for message in socket:
            await socket.send_str(json.dumps(["stdout", str(len(message.data))]))

    async def asks(made: Any) -> tuple[str, Any]:
        async with made.websocket("/terminals/websocket/1") as socket:
            await socket.send_str(json.dumps(["stdin", "x" * 2_000_000]))
            await socket.send_bytes(b"x")
            await socket.send_str(json.dumps(["stdin", "ls"]))
            return await socket.receive_str(), made.gateway.budgets.flow(SESSION).by_type

    answer, flow = through(tmp_path, terminal, asks)
    assert json.loads(answer) == ["stdout", str(len(json.dumps(["stdin", "ls"])))]
    assert list(flow) == ["terminal"]
