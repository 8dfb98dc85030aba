"""A notebook's kernel, spoken to over the gateway's websocket as JupyterLab does."""

from __future__ import annotations

import asyncio
import socket
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from hub.tour.browser import Browser

MAX_MESSAGE = 16 * 1024 * 1024
EXECUTE = {
    "silent": False,
    "store_history": True,
    "user_expressions": {},
    "allow_stdin": False,
    "stop_on_error": True,
}


class LoopbackResolver(AbstractResolver):
    """Finds every name at 127.0.0.1: the tour and the tests run beside the enclave."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The loopback address, for any name."""
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is held."""


@dataclass
class Answer:
    """What a cell gave: text it printed, rich outputs by type, and the error if there was one."""

    text: str = ""
    error: str = ""
    outputs: list[dict[str, Any]] = field(default_factory=list)
    closed: str = ""  # why the connection was closed, when it was


def _message(kind: str, content: dict[str, Any], session: str) -> dict[str, Any]:
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "username": "",
        "session": session,
        "date": datetime.now(UTC).isoformat(),
        "version": "5.3",
    }
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
        "buffers": [],
    }


def cookies_for(browser: Browser, origin: str) -> dict[str, str]:
    """The cookies that the browser would send to that origin."""
    host = urlsplit(origin).hostname
    jar = browser.client.cookies.jar
    return {cookie.name: cookie.value or "" for cookie in jar if cookie.domain.lstrip(".") in {host, f"{host}.local"}}


def start_kernel(browser: Browser, origin: str) -> str:
    """Starts a kernel in the session at `origin` and returns its id; raises httpx.HTTPStatusError when refused."""
    headers = {"Origin": origin}
    if xsrf := cookies_for(browser, origin).get("_xsrf"):
        headers["X-XSRFToken"] = xsrf
    answer = browser.client.post(f"{origin}/api/kernels", json={"name": "python3"}, headers=headers)
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _run(browser: Browser, origin: str, kernel: str, code: str, seconds: float) -> Answer:
    session = uuid.uuid4().hex
    jar = aiohttp.CookieJar(unsafe=True)
    connector = aiohttp.TCPConnector(resolver=LoopbackResolver())
    address = f"{origin.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels?session_id={session}"
    cookie = "; ".join(f"{name}={value}" for name, value in cookies_for(browser, origin).items())
    answer = Answer()
    async with (
        aiohttp.ClientSession(connector=connector, cookie_jar=jar) as client,
        client.ws_connect(address, headers={"Origin": origin, "Cookie": cookie}, max_msg_size=MAX_MESSAGE) as channel,
        asyncio.timeout(seconds),
    ):
        asked = _message("execute_request", {**EXECUTE, "code": code}, session)
        await channel.send_json(asked)
        idle = replied = False
        while not (idle and replied):
            received = await channel.receive()
            if received.type is not aiohttp.WSMsgType.TEXT:
                answer.closed = str(received.extra or channel.close_code or received.type.name)
                return answer
            message = received.json()
            if message.get("parent_header", {}).get("msg_id") != asked["header"]["msg_id"]:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "stream":
                answer.text += content["text"]
            elif kind in {"display_data", "execute_result"}:
                answer.outputs.append(content["data"])
            elif kind == "error":
                answer.error = f"{content['ename']}: {content['evalue']}"
            elif kind == "execute_reply":
                replied = True
            elif kind == "status" and content["execution_state"] == "idle":
                idle = True
    return answer


def run_cell(browser: Browser, origin: str, kernel: str, code: str, seconds: float = 120) -> Answer:
    """Runs one cell and waits for its end; raises TimeoutError after `seconds`."""
    return asyncio.run(_run(browser, origin, kernel, code, seconds))
