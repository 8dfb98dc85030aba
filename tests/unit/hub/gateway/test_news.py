"""What the page is told by itself: its level and that it is about to be cut, over the websocket and on asking."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType

from hub.gateway.budgets import Level
from hub.gateway.news import MEMORY_SECONDS
from hub.gateway.websockets import CUT
from tests.unit.hub.gateway.gateway_rig import SESSION, rig_for


def test_a_warning_comes_at_once_and_a_question_is_answered_alike(tmp_path: Path) -> None:
    async def inside() -> None:
        async with rig_for(tmp_path, None) as rig, rig.websocket("/enclave/news") as news:
            first = await news.receive_json(timeout=60)
            assert (first["level"], first["sentence"]) == ("fine", "")
            left = rig.gateway.registry.warn(SESSION, "Your training has run out.", 20)
            assert left is not None
            told = await news.receive_json(timeout=60)
            assert (told["level"], told["sentence"]) == ("ending", "Your training has run out.")
            assert 0 < told["ends_in"] <= 20
            asked = json.loads((await rig.get("/enclave/status")).text)
            assert (asked["level"], asked["sentence"]) == ("ending", "Your training has run out.")
            rig.gateway.registry.cut(SESSION, "Your training has run out.")
            last = await news.receive(timeout=60)
            assert (last.type, last.data, last.extra) == (WSMsgType.CLOSE, CUT, "Your training has run out.")

    asyncio.run(inside())


def test_a_change_of_level_is_told_and_what_the_page_says_is_not_heard(tmp_path: Path) -> None:
    tiers: dict[int, Any] = {
        n: {"bytes_per_minute": 60, "burst_bytes": 1000, "bytes_per_day": 10_000} for n in range(5)
    }

    async def inside() -> None:
        async with (
            rig_for(tmp_path, None, settings={"tiers": tiers}) as rig,
            rig.websocket("/enclave/news") as news,
        ):
            await news.receive_json(timeout=60)
            await news.send_str("x")
            rig.gateway.budgets.spend(rig.session, 900, "stream")
            told = await news.receive_json(timeout=60)
            assert told["level"] == Level.Warned
            assert "slower" in told["sentence"]
            rig.gateway.budgets.go_on(rig.session)
            assert (await news.receive_json(timeout=60))["level"] == Level.Fine
            assert len(rig.session.listeners) == 1

    asyncio.run(inside())


def test_nothing_is_served_after_the_seconds_of_a_warning(tmp_path: Path) -> None:
    async def inside() -> None:
        async with rig_for(tmp_path, None) as rig:
            registry = rig.gateway.registry
            registry.warn(SESSION, "over", 0)
            registry.warn(SESSION, "over", 30)  # a second warning gives no more time
            assert not registry.fresh(rig.session)
            assert (await rig.get("/api/me")).status == 503

    asyncio.run(inside())


def test_the_news_need_the_sessions_own_page(tmp_path: Path) -> None:
    async def inside() -> None:
        async with rig_for(tmp_path, None) as rig:
            upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                       "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
            for headers in ({"Cookie": ""}, {"Origin": "http://evil.example"}):
                answer = await rig.ask("GET", "/enclave/news", headers=rig.headers() | upgrade | headers)
                assert answer.status == 403
            assert (await rig.get("/enclave/news")).status == 405

    asyncio.run(inside())


def test_memory_that_ran_out_is_said_while_the_session_goes_on_and_when_it_does_not(tmp_path: Path) -> None:
    sentence = "A program in this session took more memory than it may have."

    async def inside() -> None:
        async with rig_for(tmp_path, None) as rig, rig.websocket("/enclave/news") as news:
            assert (await news.receive_json(timeout=60))["level"] == "fine"
            assert not rig.gateway.registry.ran_out_of_memory("0" * 32, sentence)
            assert rig.gateway.registry.ran_out_of_memory(SESSION, sentence)
            told = await news.receive_json(timeout=60)
            assert (told["level"], told["sentence"]) == ("memory", sentence)
            gone = await rig.get("/api/kernels")
            assert (gone.status, json.loads(gone.text)["reason"]) == (
                502,
                "The session's server does not answer: memory ran out",
            )
            assert sentence in json.loads((await rig.get("/enclave/status")).text)["message"]
            rig.session.memory_at -= MEMORY_SECONDS + 1
            rig.session.tell()
            assert (await news.receive_json(timeout=60))["level"] == "fine"

    asyncio.run(inside())
