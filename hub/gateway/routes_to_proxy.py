"""The proxy's routes to sessions' hosts: added when a session comes, put back after the proxy was restarted."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiohttp

from access_control.settings import Web
from hub.gateway.sessions import SESSION_ID, SessionRegistry

LOOK_SECONDS = 5.0
_MARK = "enclave-session"  # in a route's data: ours to remove; the hub leaves routes without its own mark alone
log = logging.getLogger(__name__)


class ProxyRoutes:
    """Keeps `/s-<id>.<host>` at configurable-http-proxy for every session, and for an ended one while its page is
    told.
    """

    def __init__(self, api: str, token: str, web: Web, target: str, registry: SessionRegistry) -> None:
        self._api = api.rstrip("/")
        self._token = token
        self._web = web
        self._target = target
        self._registry = registry
        self._client: aiohttp.ClientSession | None = None
        self._there: set[str] = set()
        self._changed = asyncio.Event()

    def has(self, session_id: str) -> bool:
        """Whether the proxy has been told of the session."""
        return session_id in self._there

    def changed(self) -> None:
        """Something came or went: bring the proxy up to date at once."""
        self._changed.set()

    async def run(self) -> None:
        """Brings the proxy up to date at each change and every few seconds, until cancelled."""
        headers = {"Authorization": f"token {self._token}"}
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=10)) as self._client:
            while True:
                self._changed.clear()
                try:
                    await self._bring_up_to_date(self._client)
                except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                    log.warning("The proxy's API at %s does not answer: %s", self._api, error)
                    self._there.clear()
                try:
                    async with asyncio.timeout(LOOK_SECONDS if self._there else 1.0):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    async def _bring_up_to_date(self, client: aiohttp.ClientSession) -> None:
        async with client.get(f"{self._api}/api/routes") as answer:
            answer.raise_for_status()
            routes: dict[str, dict[str, Any]] = await answer.json()
        wanted = {self._path(one): one for one in self._registry.known_ids()}
        for path, session_id in wanted.items():
            if routes.get(path, {}).get("target") != self._target:
                body = {"target": self._target, _MARK: session_id}
                async with client.post(f"{self._api}/api/routes{path}", json=body) as answer:
                    answer.raise_for_status()
            self._there.add(session_id)
        for path, data in routes.items():
            if data.get(_MARK) and path not in wanted:
                async with client.delete(f"{self._api}/api/routes{path}") as answer:
                    if answer.status not in (204, 404):
                        answer.raise_for_status()
        self._there &= set(wanted.values())

    def _path(self, session_id: str) -> str:
        return f"/{self._web.session_host(session_id)}"


def session_of_host(host: str, web: Web) -> str | None:
    """The session's id in a Host header such as `s-<id>.enclave.localhost:8000`, or None for any other host."""
    name = host.lower().rpartition(":")[0] if ":" in host else host.lower()
    suffix = "." + web.host.lower()
    if not name.startswith("s-") or not name.endswith(suffix):
        return None
    session_id = name[2 : -len(suffix)]
    return session_id if SESSION_ID.fullmatch(session_id) else None
