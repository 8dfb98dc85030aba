"""Sessions shown as pictures only: one websocket between the viewer in the browser and the container's display.

`rfb.py` decides what passes. Here are the connection to the display, the two pumps, and the files of the viewer: noVNC
from npm, whose package's hash `npm ci` has checked, and a page of ours that has no menu, no clipboard and no files.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from aiohttp import WSMsgType, web

from access_control.errors import Invalid, Refused
from access_control.settings import Settings
from hub.gateway import rfb, safe_socket, websockets
from hub.gateway.budgets import Budgets
from hub.gateway.sessions import LiveSession

MOST_VIEWERS = 4  # of one session; the display itself keeps the last one
GREETING_SECONDS = 10.0
READ_BYTES = 64 * 1024
KEYS_PER_SECOND, KEYS_AT_ONCE = 60, 240  # presses and releases: a fast typist's, not a program's
_NOVNC = Path(__file__).parents[2] / ".cache" / "viewer" / "node_modules" / "@novnc" / "novnc"
_SERVED = "/enclave/novnc/"


@dataclass
class Display:
    """A connection to a container's display, greeted."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    width: int
    height: int

    async def close(self) -> None:
        """Ends it, without waiting for the other side."""
        self.writer.transport.abort()


async def connect(path: Path, uid: int) -> Display:
    """Greets the display at a session's socket; raises OSError, TimeoutError or Refused."""
    connection = await safe_socket.connect(path, uid)
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=READ_BYTES)
    try:
        async with asyncio.timeout(GREETING_SECONDS):
            width, height = await _greet(reader, writer)
    except asyncio.IncompleteReadError as error:
        writer.transport.abort()
        raise ConnectionResetError("the display closed the connection") from error
    except BaseException:
        writer.transport.abort()
        raise
    return Display(reader, writer, width, height)


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, int]:
    if await reader.readexactly(12) != rfb.VERSION:
        raise Refused("The session's display speaks another protocol.")
    writer.write(rfb.VERSION)
    offered = await reader.readexactly((await reader.readexactly(1))[0])
    if rfb.NO_SECURITY not in offered:
        raise Refused("The session's display asks for a password.")
    writer.write(bytes([rfb.NO_SECURITY]))
    if await reader.readexactly(4) != bytes(4):
        raise Refused("The session's display refuses the gateway.")
    writer.write(b"\x00")  # alone: a page that was loaded again takes the place of the one before
    opened = await reader.readexactly(24)
    name = int.from_bytes(opened[20:24])
    if name > rfb.MOST_SIDE:
        raise Refused("The session's display has a name longer than any.")
    await reader.readexactly(name)
    writer.write(rfb.settings_for_display())
    await writer.drain()
    return int.from_bytes(opened[0:2]), int.from_bytes(opened[2:4])


async def answers(session: LiveSession, seconds: float = 2.0) -> bool:
    """Whether a display answers on the session's socket. It reads the greeting's first line, so that no viewer is
    put out.
    """
    try:
        async with asyncio.timeout(seconds):
            connection = await safe_socket.connect(session.socket, session.uid)
            reader, writer = await asyncio.open_unix_connection(sock=connection, limit=READ_BYTES)
            try:
                return await reader.readexactly(len(rfb.VERSION)) == rfb.VERSION
            finally:
                writer.transport.abort()
    except (OSError, EOFError, TimeoutError, Refused):
        return False


@dataclass
class KeyRate:
    """How many keys may pass: typing does, a program that types in a file does not get far."""

    left: float = KEYS_AT_ONCE
    looked: float = field(default_factory=time.monotonic)

    def spend(self, keys: int) -> float:
        """Counts keys and returns for how many seconds to wait."""
        now = time.monotonic()
        self.left = min(KEYS_AT_ONCE, self.left + (now - self.looked) * KEYS_PER_SECOND) - keys
        self.looked = now
        return max(0.0, -self.left / KEYS_PER_SECOND)


@dataclass(eq=False)
class Viewing:
    """One viewer of a session."""

    session: LiveSession
    budgets: Budgets
    browser: web.WebSocketResponse
    display: Display

    def __post_init__(self) -> None:
        self._viewer = rfb.FromViewer(self.display.width, self.display.height)
        self._pictures = rfb.FromDisplay(self.display.width, self.display.height)
        self._keys = KeyRate()
        self._opened = asyncio.Event()

    async def inwards(self) -> None:
        """From the viewer: keys, pointer, and requests for pictures."""
        await self.browser.send_bytes(rfb.VERSION)
        async for message in self.browser:
            if message.type is not WSMsgType.BINARY:
                return
            for start in range(0, len(message.data), 1024):
                before = self._viewer.keys
                passed, answer = self._viewer.feed(message.data[start : start + 1024])
                if answer:
                    await self.browser.send_bytes(answer)
                if self._viewer.greeted:
                    self._opened.set()
                if not passed:
                    continue
                if passed[0] != 3 or len(passed) > 10:  # more than the viewer's own request for the next picture
                    self.session.touch()
                self.display.writer.write(passed)
                await self.display.writer.drain()
                if delay := self._keys.spend(self._viewer.keys - before):
                    await asyncio.sleep(delay)

    async def outwards(self) -> None:
        """From the display: pictures. What is dropped counts too, so that nobody can keep the gateway at it."""
        await self._opened.wait()
        while data := await self.display.reader.read(READ_BYTES):
            dropped = self._pictures.dropped
            pictures = self._pictures.feed(data)
            delay = self.budgets.spend(self.session, len(pictures), "pictures") if pictures else 0.0
            if self._pictures.dropped > dropped:
                thrown = self.budgets.spend(self.session, self._pictures.dropped - dropped, "dropped")
                delay = max(delay, thrown)
            await asyncio.sleep(delay)  # even when it is 0: a display that never stops must not stop the others
            if pictures:
                await self.browser.send_bytes(pictures)


async def relay(
    request: web.BaseRequest, session: LiveSession, *, budgets: Budgets, headers: dict[str, str]
) -> web.StreamResponse:
    """Shows the display until one side closes, the session is cut or its budget is passed."""
    display = await connect(session.socket, session.uid)
    try:
        browser = websockets.for_browser(("binary",), headers, compress=True)
        try:
            viewing = Viewing(session, budgets, browser, display)
        except Invalid as error:
            raise Refused(str(error)) from error
        return await websockets.until_closed(request, session, browser, (viewing.inwards, viewing.outwards))
    finally:
        with suppress(OSError):
            await display.close()


# -- the viewer --------------------------------------------------------------------------------------------------------


def load_viewer(settings: Settings, folder: Path = _NOVNC) -> dict[str, bytes]:
    """The scripts of noVNC by their address, when a tier needs them; raises Refused when they are not there."""
    tiers = [number for number, tier in settings.tiers.items() if tier.pixels_only]
    if not tiers:
        return {}
    found = {
        _SERVED + path.relative_to(folder).as_posix(): path.read_bytes()
        for part in ("core", "vendor")
        for path in sorted((folder / part).rglob("*.js"))
        if path.is_file() and not path.is_symlink()
    }
    if f"{_SERVED}core/rfb.js" not in found:
        raise Refused(
            f"tiers.{tiers[0]}.pixels_only is set, and the viewer that it needs is not installed. Run: make pixels"
        )
    return found


def page(project: str) -> bytes:
    """The page of a session's pictures."""
    return _PAGE.replace("PROJECT", escape(project)).encode()


_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>PROJECT - JupyterLab</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<style>html,body,#screen{margin:0;height:100%;background:#2a2e33;overflow:hidden}
#said{position:fixed;left:0;right:0;top:40%;text-align:center;color:#fff;font:16px/1.5 system-ui,sans-serif}</style>
<script type="module" src="/enclave/screen.js"></script><script defer src="/enclave/page.js"></script></head>
<body><div id="screen" aria-label="The session's screen"></div><p id="said" role="status">Connecting</p></body></html>
"""

SCRIPT = b"""import RFB from "/enclave/novnc/core/rfb.js";
const said = document.getElementById("said");
const state = (name, words) => { document.documentElement.dataset.display = name; said.textContent = words; };
const open = () => {
  state("connecting", "Connecting");
  const address = location.origin.replace(/^http/, "ws") + "/enclave/display";
  const rfb = new RFB(document.getElementById("screen"), address, {shared: false, wsProtocols: ["binary"]});
  rfb.scaleViewport = true;
  rfb.background = "#2a2e33";
  rfb.addEventListener("connect", () => { state("connected", ""); rfb.focus(); });
  rfb.addEventListener("disconnect", () => {
    state("lost", "The session's screen was closed. This page tries again.");
    setTimeout(open, 3000);
  });
};
open();
"""
