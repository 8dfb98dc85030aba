"""A tier that is shown as pictures: its page, its one websocket, and that everything of Jupyter's is closed."""

from __future__ import annotations

import asyncio
import functools
import struct
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from access_control.errors import Refused
from access_control.settings import Settings, load_settings
from hub.gateway import rfb, screen
from hub.gateway.allowlist import PIXELS_ROUTES, ROUTES, Closed, Kind, find
from tests.unit.hub.gateway.gateway_rig import answering, json_answer

GREETING = rfb.VERSION + b"\x01\x01"
KEY = struct.pack(">BBxxI", 4, 1, 97)
PIXELS = struct.pack(">BxHHHHHi", 0, 1, 0, 0, 1, 1, rfb.RAW) + b"\x01\x02\x03\x00"


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs an asynchronous test in an event loop of its own."""

    @functools.wraps(test)
    def run(*given: Any, **named: Any) -> None:
        asyncio.run(test(*given, **named))

    return run


@pytest.fixture
def pictures(tmp_path: Path) -> dict:
    """Settings whose tier 3 is shown as pictures, as the rig takes them."""
    file = tmp_path / "enclave.toml"
    file.write_text("[tiers.3]\npixels_only = true\n")
    return {"tiers": load_settings(file).model_dump()["tiers"]}


class Showing:
    """A display of one pixel after another; keeps what it is told."""

    def __init__(self, version: bytes = rfb.VERSION, types: bytes = b"\x02\x02\x01", size: tuple[int, int] = (64, 48)):
        self.version, self.types, self.size = version, types, size
        self.told = bytearray()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(self.version)
            await reader.readexactly(12)
            writer.write(self.types)
            await reader.readexactly(1)
            writer.write(bytes(4))
            await reader.readexactly(1)
            writer.write(struct.pack(">HH", *self.size) + rfb.PIXEL_FORMAT + struct.pack(">I", 6) + b"secret")
            writer.write(struct.pack(">B3xI", 3, 6) + b"secret" + PIXELS)
            while data := await reader.read(4096):
                self.told += data
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@in_a_loop
async def test_pixels_come_and_keys_go(rig, pictures) -> None:
    display = Showing()
    async with (
        rig(display, tier=3, settings=pictures) as r,
        r.websocket("/enclave/display", protocols=("binary",)) as ws,
    ):
        await ws.send_bytes(GREETING + struct.pack(">B3xI", 6, 6) + b"secret" + KEY)
        heard = b""
        async with asyncio.timeout(30):
            while not heard.endswith(PIXELS):
                heard += (await ws.receive()).data
            while KEY not in display.told:  # noqa: ASYNC110 - bytes, not an event
                await asyncio.sleep(0.02)
        assert heard == rfb.VERSION + b"\x01\x01" + bytes(4) + rfb.opening(64, 48) + PIXELS
        assert bytes(display.told) == rfb.settings_for_display() + KEY
        assert r.gateway.budgets.describe(r.session)["bytes"] == len(PIXELS) + 14  # what was dropped counts


@in_a_loop
async def test_the_budget_ends_it(rig, pictures) -> None:
    pictures["tiers"][3] |= {"burst_bytes": 10, "bytes_per_day": 10}
    async with rig(Showing(), tier=3, settings=pictures) as r, r.websocket("/enclave/display") as ws:
        await ws.send_bytes(GREETING)
        async with asyncio.timeout(30):
            while (await ws.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
        assert ws.close_code == 4008


@in_a_loop
async def test_a_cut_session_is_closed_at_once(rig, pictures) -> None:
    async with rig(Showing(), tier=3, settings=pictures) as r, r.websocket("/enclave/display") as ws:
        await ws.send_bytes(GREETING)
        await ws.receive()
        r.gateway.registry.cut(r.session.id, "The grant was withdrawn.")
        async with asyncio.timeout(30):
            while (message := await ws.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
        assert (ws.close_code, message.extra) == (4001, "The grant was withdrawn.")


@pytest.mark.parametrize(
    "display",
    [
        Showing(version=b"RFB 003.003\n"),
        Showing(types=b"\x01\x02"),
        Showing(types=b"\x00"),
        Showing(size=(0, 0)),
        Showing(size=(0xFFFF, 0xFFFF)),
        answering(json_answer(b"{}")),
    ],
)
@in_a_loop
async def test_what_is_no_display_is_refused(rig, pictures, display) -> None:
    async with rig(display, tier=3, settings=pictures) as r:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await r.websocket("/enclave/display").__aenter__()
        assert caught.value.status == 502


@in_a_loop
async def test_the_page_is_the_gateways(rig, pictures) -> None:
    async with rig(Showing(), tier=3, settings=pictures) as r:
        r.gateway.viewer["/enclave/novnc/core/rfb.js"] = b"export default 1;"
        front = await r.get("/")
        assert (front.status, front.headers["Location"]) == (303, "/enclave/screen")
        page = await r.get("/enclave/screen")
        assert page.status == 200
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert (await r.get("/enclave/screen.js")).body == screen.SCRIPT
        assert (await r.get("/enclave/novnc/core/rfb.js")).body == b"export default 1;"
        assert (await r.get("/enclave/novnc/core/none.js")).status == 404
        assert (await r.get("/lab")).status == 403
        assert await screen.answers(r.session)


@in_a_loop
async def test_other_tiers_have_no_screen(rig, pictures) -> None:
    async with rig(Showing(), tier=2, settings=pictures) as r:
        for path in ("/enclave/screen", "/enclave/screen.js", "/enclave/display"):
            assert (await r.get(path)).status == 403


def test_nothing_of_jupyters_is_open(pictures) -> None:
    tier = Settings.model_validate(pictures).tiers[3]
    own = {route.pattern for route in PIXELS_ROUTES}
    for route in ROUTES:
        if route.pattern not in own:
            path = route.pattern.replace("{id}", "x").replace("{file}", "x.png").replace("{rest}", "x.ipynb")
            for method in route.methods:
                assert isinstance(find(method, path, [], tier), Closed), path
    container = {Kind.Json, Kind.Contents, Kind.Image, Kind.Kernel, Kind.Terminal}
    assert not container & {route.kind for route in PIXELS_ROUTES}


def test_without_the_viewer_the_gateway_does_not_start(pictures, tmp_path) -> None:
    assert screen.load_viewer(Settings(), tmp_path) == {}
    with pytest.raises(Refused, match="make pixels"):
        screen.load_viewer(Settings.model_validate(pictures), tmp_path)
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "rfb.js").write_text("1")
    assert screen.load_viewer(Settings.model_validate(pictures), tmp_path) == {"/enclave/novnc/core/rfb.js": b"1"}


def test_keys_are_as_fast_as_typing() -> None:
    rate = screen.KeyRate()
    assert rate.spend(screen.KEYS_AT_ONCE) == 0
    assert 0.5 < rate.spend(screen.KEYS_PER_SECOND) <= 1
