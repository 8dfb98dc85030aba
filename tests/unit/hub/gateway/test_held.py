"""What the gateway keeps in memory of one session is bounded, however many requests and websockets it has."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from hub.gateway import messages
from hub.gateway.held import Held, TooMuchAtOnce
from tests.unit.hub.gateway.gateway_rig import Serve, answering, json_answer
from tests.unit.hub.gateway.test_messages import binary
from tests.unit.hub.gateway.test_websockets import CHANNELS, echo, through

Rig = Callable[..., Any]
MIB = 1024 * 1024
HANDSHAKE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
)


def held(made: Any) -> Held:
    found: Held = made.gateway.upstream(made.session).held
    return found


def test_what_is_too_much_is_not_kept_and_all_is_given_back() -> None:
    one = Held(most=100)
    with one.keeping() as first, one.keeping() as second:
        first(60)
        with pytest.raises(TooMuchAtOnce):
            second(41)
        second(40)
        assert one.bytes == 100
    assert one.bytes == 0


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come about")


def test_answers_that_nobody_takes_are_bounded(rig: Rig) -> None:
    async def inside() -> tuple[list[int], int]:
        async with rig(answering(json_answer(b'"%s"' % (b"x" * 7 * MIB), status="200 OK"), close=False)) as made:
            held(made).most = 32 * MIB
            asked = "".join(f"{name}: {value}\r\n" for name, value in made.headers().items())
            opened = []
            for _ in range(12):
                reader, writer = await asyncio.open_connection("127.0.0.1", made.port, limit=1024)
                writer.write(f"GET /api/kernels HTTP/1.1\r\n{asked}\r\n".encode())
                opened.append((reader, writer))
            codes = [int((await reader.readuntil(b"\r\n")).split()[1]) for reader, _ in opened]
            most = held(made).bytes
            for _, writer in opened:
                writer.transport.abort()
            await until(lambda: held(made).bytes == 0)
            return codes, most

    codes, most = asyncio.run(inside())
    assert 1 <= codes.count(200) <= 4
    assert codes.count(429) == 12 - codes.count(200)
    assert most <= 32 * MIB


def unfinished(size: int) -> Serve:
    """A kernel's websocket that begins a message and never ends it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(
            line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        writer.write(HANDSHAKE % accept)
        try:
            for _ in range(size // 60_000):
                writer.write(b"\x02\x7e" + (60_000).to_bytes(2, "big") + bytes(60_000))  # a fragment: more is to come
                await writer.drain()
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    return serve


def test_messages_that_never_become_whole_are_bounded(rig: Rig) -> None:
    async def inside() -> tuple[int, int]:
        async with rig(unfinished(6 * MIB)) as made:
            held(made).most = 16 * MIB
            sockets = [await made.websocket(CHANNELS) for _ in range(8)]
            waiting = [asyncio.create_task(socket.receive()) for socket in sockets]
            await until(lambda: sum(one.done() for one in waiting) >= 1 and held(made).bytes <= 16 * MIB)
            most = held(made).bytes
            for socket in sockets:
                await socket.close()
            await until(lambda: held(made).bytes == 0)
            return sum(one.done() for one in waiting), most

    ended, most = asyncio.run(inside())
    assert ended >= 1
    assert most <= 16 * MIB


def test_what_was_passed_on_is_no_longer_held(tmp_path: Path) -> None:
    async def talking(socket: web.WebSocketResponse) -> None:
        for size in (0, 100, 200, 70_000, 3 * MIB):
            await socket.send_bytes(binary("iopub", "stream", {"text": "x" * size}))
        await echo(socket)

    async def asks(made: Any) -> int:
        async with made.websocket(CHANNELS, protocols=(messages.V1,), max_msg_size=0) as socket:
            for _ in range(5):
                assert (await socket.receive(timeout=60)).type is WSMsgType.BINARY
            await until(lambda: held(made).bytes < 200)  # its last message is counted out once it was sent
        await until(lambda: held(made).bytes == 0)
        return held(made).bytes

    assert through(tmp_path, talking, asks) == 0
