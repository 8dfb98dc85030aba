"""What may take long is looked at beside the gateway, with the same outcome, and cannot hold it up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from access_control.errors import Invalid
from access_control.settings import Settings
from hub.gateway import aside, contents, messages, printed
from hub.gateway.aside import Aside, TookTooLong
from tests.unit.hub.gateway.test_messages import binary, text
from tests.unit.hub.gateway.test_websockets import CHANNELS, through

TIERS = Settings().tiers
STRICT = TIERS[3]
DEEP = "<div>" * 400_000  # each of which the cleaner looks for in all that are open: minutes
Work = Callable[[Aside], Awaitable[Any]]


def beside(work: Work, *, seconds: float = 5.0) -> Any:
    async def inside() -> Any:
        made = Aside(seconds)
        try:
            return await work(made)
        finally:
            await made.close()

    return asyncio.run(inside())


def shown(html: str) -> dict[str, Any]:
    return {"data": {"text/html": html, "text/plain": "plain"}, "metadata": {}}


@pytest.mark.parametrize("form", [binary, text])
@pytest.mark.parametrize("tier", [0, 3])
@pytest.mark.parametrize("kind", ["display_data", "stream", "invented", "comm_msg"])
def test_a_large_message_is_cleaned_as_a_small_one(form: Any, tier: int, kind: str) -> None:
    sent = form("iopub", kind, shown("<b>é</b><script>x()</script>" * 2000))
    assert len(sent) > aside.INLINE
    got = beside(lambda made: made.message("s", sent, TIERS[tier]))
    assert got == messages.outwards(sent, TIERS[tier])


def test_half_characters_do_not_end_a_kernel() -> None:
    for form in (binary, text):
        for filling in ("", "x" * aside.INLINE):
            sent = form("iopub", "display_data", shown("\ud800" + filling))
            kind, passed = beside(lambda made, sent=sent: made.message("s", sent, STRICT))
            assert kind == "display_data"
            assert passed is not None


@pytest.mark.parametrize("data", [b"x" * 100_000, "x" * 100_000, "[" * 100_000])
def test_what_is_no_message_is_none_there_too(data: bytes | str) -> None:
    with pytest.raises(Invalid):
        beside(lambda made: made.message("s", data, STRICT))


def test_a_large_notebook_is_cleaned_as_a_small_one() -> None:
    cells = [{"cell_type": "code", "outputs": [{"output_type": "display_data", **shown("<script>x()</script>")}]}] * 200
    body = json.dumps({"type": "notebook", "format": "json", "content": {"cells": cells}}).encode()
    reading = contents.plan_reading("a.ipynb", {"type": "notebook", "content": "1"}, STRICT)
    got = beside(lambda made: made.reading("s", reading, body, STRICT))
    assert got == contents.clean_reading(reading, body, STRICT)
    assert b"x()" not in got


def test_what_may_not_be_written_is_refused_there_too() -> None:
    body = json.dumps({"type": "file", "format": "text", "content": "x" * 100_000}).encode()
    with pytest.raises(contents.TooLarge, match="may have 65536 bytes"):
        beside(lambda made: made.writing("s", "a.txt", body, STRICT))
    assert beside(lambda made: made.writing("s", "a.txt", body, TIERS[0])) is None


def test_what_may_not_go_in_is_answered_there_too() -> None:
    sent = text("shell", "execute_request", {"code": "x" * (STRICT.paste_bytes + 1)})
    answers = beside(lambda made: made.may_go_in("s", sent, STRICT))
    assert [json.loads(one)["header"]["msg_type"] for one in answers] == ["error", "execute_reply", "status"]
    assert beside(lambda made: made.may_go_in("s", sent, TIERS[0])) is None


@pytest.mark.parametrize(
    "bomb",
    [
        shown(DEEP),
        shown("<b " + " ".join(f"a{n}=1" for n in range(400_000)) + ">"),
        {"data": {"application/json": [[[]] * 5_000_000]}},
    ],
    ids=["nesting", "attributes", "memory"],
)
def test_what_takes_too_long_or_too_much_is_ended_and_the_next_is_done(bomb: dict[str, Any]) -> None:
    sent = binary("iopub", "display_data", bomb)
    fine = binary("iopub", "display_data", shown("<b>fine</b>" * 2000))

    async def work(made: Aside) -> Any:
        with pytest.raises(TookTooLong):
            await made.message("hostile", sent, STRICT)
        with pytest.raises(TookTooLong, match="waits for a moment"):
            await made.message("hostile", fine, STRICT)
        return await made.message("honest", fine, STRICT)

    assert beside(work, seconds=1.0) == messages.outwards(fine, STRICT)


def test_everybody_else_is_served_meanwhile(tmp_path: Path) -> None:
    sent = binary("iopub", "display_data", shown(DEEP))
    asked: list[bytes | str] = []

    async def kernel(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(sent)
        async for message in socket:
            asked.append(message.data)

    async def asks(made: Any) -> tuple[int, Any]:
        made.gateway._aside._seconds = 1.0
        async with made.websocket(CHANNELS, protocols=(messages.V1,)) as socket:
            answer = await made.get("/api/me")
            return answer.status, (await socket.receive(timeout=60)).data

    status, told = through(tmp_path, kernel, asks, tier=3)
    assert status == 200
    assert printed.NOT_LOOKED_AT.encode() in told


def test_a_process_that_is_gone_is_replaced() -> None:
    fine = binary("iopub", "display_data", shown("<b>fine</b>" * 2000))

    async def work(made: Aside) -> Any:
        await made.message("s", fine, STRICT)
        (worker,) = made._all
        worker.kill()
        await worker.wait()
        return await made.message("s", fine, STRICT)

    assert beside(work) == messages.outwards(fine, STRICT)
