"""The JSON of the gateway's control socket, through its own server. Only the enclave may open it, but it has to stand."""

from __future__ import annotations

import asyncio
import atexit
import functools
import json
import logging
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from access_control.database import open_database
from access_control.settings import Settings
from hub import schema
from hub.gateway.budgets import Budgets
from hub.gateway.control import control_app
from hub.gateway.incidents import IncidentBook
from hub.gateway.sessions import SessionRegistry
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds

_ID = "a" * 32
_NAMES = (
    "person",
    "project",
    "tier",
    "socket",
    "uid",
    "reason",
    "reasons",
    "sessions",
    "seconds",
    "ids",
    "decision",
    "actor",
    "session",
    "sentence",
    _ID,
    "b" * 32,
)
_VALUES = (_ID, "b" * 32, "ana", "p17", "continue", "end", "/run/s", "../x", "\ud800", "1", "x" * 99)
_BODY = {"person": "ana", "project": "p17", "tier": 2, "socket": "/run/s", "uid": 64123, "reason": "r", "reasons": {_ID: "r"}, "sessions": {_ID: {"reason": "r", "seconds": 1}},
         "seconds": 3, "ids": [_ID], "decision": "end", "actor": "rea", "session": _ID, "sentence": "s"}  # fmt: skip
_CALLS = (("PUT", f"/sessions/{_ID}"), ("DELETE", f"/sessions/{_ID}"), ("GET", "/sessions"), ("POST", "/cuts"), ("POST", "/warnings"), ("POST", "/memory"), ("POST", "/leases"), ("POST", "/at-work"),
          ("POST", f"/budgets/{_ID}"), ("PUT", "/sessions/..%2fx"))  # fmt: skip


class _Running:
    """One control server for all inputs, in an event loop of its own."""

    def __init__(self) -> None:
        logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.folder = tempfile.TemporaryDirectory(prefix="fuzz-")
        self.client = self.loop.run_until_complete(self._begin(Path(self.folder.name) / "s"))
        atexit.register(lambda: self.loop.run_until_complete(self.stack.aclose()))

    async def _begin(self, path: Path) -> aiohttp.ClientSession:
        registry = SessionRegistry()
        budgets = Budgets(Settings().tiers, lambda _session, _level, _sentence: None)
        engine = open_database(f"sqlite:///{path.with_name('db')}")
        schema.create_tables(engine)
        app = control_app(registry, IncidentBook(engine, budgets, registry), lambda _session, _ended: None)
        runner = web.AppRunner(app)
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        await web.UnixSite(runner, str(path), shutdown_timeout=0.1).start()
        return await self.stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))))

    async def call(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        async with self.client.request(method, f"http://gateway{path}", data=body) as answer:
            return answer.status, await answer.json()


@functools.cache
def _running() -> _Running:
    return _Running()


def run(data: bytes) -> None:
    choices = Choices(data)
    method, path = choices.pick(_CALLS)
    body = choices.rest() if choices.number(4) == 0 else json.dumps(choices.bent(_BODY, _NAMES, _VALUES)).encode()
    here = _running()
    status, said = here.loop.run_until_complete(here.call(method, path, body))
    holds(status in (200, 400, 404, 413) and isinstance(said, dict), f"an answer of {status}")
    holds(status == 200 or isinstance(said.get("error"), str), "a refusal has a sentence")


def start() -> list[bytes]:
    return [bytes([n, 1]) + bytes(range(n * 5, n * 5 + 60)) for n in range(20)] + [
        bytes([n, 0]) + json.dumps(_BODY).encode() for n in range(10)
    ]


TARGET = Target(
    "control_calls",
    "the JSON of the gateway's control socket",
    run,
    start,
    tuple(name.encode() for name in _NAMES),
    share=0.5,
)
