"""A gateway in this process before a server of our choice, honest or hostile, on a unix socket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from access_control.settings import Settings
from hub.gateway import entrance, static_files
from hub.gateway.app import Gateway
from hub.gateway.budgets import Budgets
from hub.gateway.sessions import LiveSession, SessionRegistry
from hub.gateway.static_files import TrustedFiles

KEY = b"k" * 64
SESSION = "0123456789abcdef" * 2

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def jupyter_share(folder: Path) -> Path:
    """A `share/jupyter` with as little of JupyterLab as the trusted copy needs."""
    static = folder / "lab" / "static"
    static.mkdir(parents=True)
    (static / "index.html").write_text('<script src="{{page_config.fullStaticUrl}}/main.0123456789abcdef.js"></script>')
    (static / "main.0123456789abcdef.js").write_text("console.log('lab');" * 500)
    (static / "package.json").write_text('{"jupyterlab": {"version": "4.6.0"}}')
    theme = folder / "lab" / "themes" / "@jupyterlab" / "theme-light-extension"
    theme.mkdir(parents=True)
    (theme / "index.css").write_text("body{}")
    extension = folder / "labextensions" / "@acme" / "thing"
    (extension / "static").mkdir(parents=True)
    (extension / "package.json").write_text('{"jupyterlab": {"_build": {"load": "static/r.js", "extension": "./e"}}}')
    (extension / "static" / "r.js").write_text("1")
    return folder


@dataclass
class Rig:
    gateway: Gateway
    session: LiveSession
    client: aiohttp.ClientSession
    port: int
    levels: list[tuple[str, str]]

    @property
    def origin(self) -> str:
        return self.gateway.settings.web.session_origin(self.session.id)

    def headers(self, **more: str) -> dict[str, str]:
        cookie = entrance.make_cookie(KEY, self.session.id, self.session.person)
        own = {"Host": self.origin.removeprefix("http://"), "Cookie": f"enclave={cookie}", "Origin": self.origin}
        return own | {name.replace("_", "-"): value for name, value in more.items()}

    async def ask(self, method: str, target: str, *, headers: dict[str, str] | None = None, **more: Any) -> Answer:
        url = aiohttp.client.URL(f"http://127.0.0.1:{self.port}{target}", encoded=True)
        sent = self.headers() if headers is None else headers
        async with self.client.request(method, url, headers=sent, allow_redirects=False, **more) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.read())

    async def get(self, target: str, **more: Any) -> Answer:
        return await self.ask("GET", target, **more)

    def websocket(self, target: str, **more: Any) -> Any:
        return self.client.ws_connect(f"http://127.0.0.1:{self.port}{target}", headers=self.headers(), **more)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@asynccontextmanager
async def rig_for(
    folder: Path, serve: Serve | None, *, tier: int = 0, settings: dict[str, Any] | None = None
) -> AsyncIterator[Rig]:
    path = folder / "s.sock"
    server = await asyncio.start_unix_server(serve, str(path)) if serve else None
    share = folder / "trusted"
    if not share.exists():
        static_files.prepare(jupyter_share(folder / "share"), share, made_from="test")
    levels: list[tuple[str, str]] = []
    made = Settings.model_validate(settings or {})
    registry = SessionRegistry()
    gateway = Gateway(
        settings=made,
        registry=registry,
        budgets=Budgets(made.tiers, lambda session, level, _sentence: levels.append((session.id, str(level)))),
        key=KEY,
        files=TrustedFiles(share),
    )
    session = LiveSession(SESSION, "ana", "p17", tier, path, os.getuid())
    registry.register(session)
    registry.renew([SESSION], 60)
    runner = web.ServerRunner(web.Server(gateway.handle, auto_decompress=False, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, timeout=aiohttp.ClientTimeout(total=60)
        ) as client:
            yield Rig(gateway, session, client, port, levels)
    finally:
        await gateway.forget(SESSION)
        await gateway.close()
        if server:
            server.close()
        await runner.cleanup()


def answering(raw: bytes, *, close: bool = True) -> Serve:
    """A server that gives the same bytes to every request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(raw)
                await writer.drain()
                if close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return serve


def json_answer(body: bytes, *more: str, status: str = "200 OK") -> bytes:
    """The bytes of an answer with a JSON body."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
