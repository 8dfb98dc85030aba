"""The control socket: how spawner, warden and portal tell the gateway what to serve and what to cut.

HTTP and JSON over a unix socket of mode 0600 in the run folder: whoever may open it is the enclave itself. The server
side is `control_app`; `GatewayControl` is the client, in a blocking and an asynchronous form of each call.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from access_control.errors import AccessError, Invalid, NotFound, Refused
from hub.gateway.sessions import LiveSession, SessionRegistry

TIMEOUT_SECONDS = 5.0
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Incidents(Protocol):
    """What the control server needs of the budgets."""

    def describe(self, session: LiveSession) -> dict[str, Any]:
        """Level and bytes of a session."""

    async def decide(self, session_id: str, *, go_on: bool, actor: str) -> None:
        """A steward's decision on a paused session; raises NotFound when nothing is paused."""


class GatewayControl:
    """Client of the control socket, `settings.run / "gateway.sock"`.

    Every call raises Refused when the gateway does not answer within seconds, and Invalid or NotFound with the
    gateway's own sentence when it says no. The `async_` twins do the same without blocking the event loop.
    """

    def __init__(self, path: Path, timeout: float = TIMEOUT_SECONDS) -> None:
        self._path = path
        self._timeout = timeout

    def register(self, session_id: str, *, person: str, project: str, tier: int, socket: Path, uid: int) -> None:
        """Tells the gateway of a session whose container is starting; the same call twice is harmless."""
        body = {"person": person, "project": project, "tier": tier, "socket": str(socket), "uid": uid}
        self._call("PUT", f"/sessions/{session_id}", body)

    def cut(self, session_id: str, reason: str) -> bool:
        """Ends a session at the gateway, at once; False when it was not there. `reason` is shown to the person."""
        return bool(self._call("DELETE", f"/sessions/{session_id}", {"reason": reason})["was_running"])

    def cut_many(self, reasons: Mapping[str, str]) -> list[str]:
        """Ends several sessions in one call, session -> reason, all at once; returns those that were there."""
        ended: list[str] = self._call("POST", "/cuts", {"reasons": dict(reasons)})["ended"]
        return ended

    def warn(self, warnings: Mapping[str, tuple[str, float]]) -> list[str]:
        """Warns sessions, session -> (reason, seconds): each is cut at the gateway when its seconds are over.

        Returns those that were there; the others have nobody to warn.
        """
        body = {session_id: {"reason": reason, "seconds": left} for session_id, (reason, left) in warnings.items()}
        warned: list[str] = self._call("POST", "/warnings", {"sessions": body})["warned"]
        return warned

    def tell_memory(self, session_id: str, sentence: str) -> bool:
        """Has a session's page say that a program was ended for want of memory; False when the session is not there."""
        return bool(self._call("POST", "/memory", {"session": session_id, "sentence": sentence})["told"])

    def renew(self, ids: Iterable[str], seconds: float) -> None:
        """Renews the leases of these sessions."""
        self._call("POST", "/leases", {"ids": list(ids), "seconds": seconds})

    def sessions(self) -> list[dict[str, Any]]:
        """Every session at the gateway: id, person, project, tier, ready, lease_seconds, idle_seconds, open, level."""
        found: list[dict[str, Any]] = self._call("GET", "/sessions")["sessions"]
        return found

    def at_work(self, ids: Iterable[str], seconds: float) -> list[str]:
        """Those of the sessions whose servers say that a kernel computed within so many seconds."""
        found: list[str] = self._call("POST", "/at-work", {"ids": list(ids), "seconds": seconds})["at_work"]
        return found

    def decide_incident(self, session_id: str, *, go_on: bool, actor: str) -> None:
        """A steward's decision on a session that its budget has paused: go on, or end it."""
        self._call("POST", f"/budgets/{session_id}", {"decision": "continue" if go_on else "end", "actor": actor})

    async def async_register(
        self, session_id: str, *, person: str, project: str, tier: int, socket: Path, uid: int
    ) -> None:
        """As `register`."""
        await asyncio.to_thread(
            self.register, session_id, person=person, project=project, tier=tier, socket=socket, uid=uid
        )

    async def async_cut(self, session_id: str, reason: str) -> bool:
        """As `cut`."""
        return await asyncio.to_thread(self.cut, session_id, reason)

    async def async_renew(self, ids: Iterable[str], seconds: float) -> None:
        """As `renew`."""
        await asyncio.to_thread(self.renew, list(ids), seconds)

    async def async_sessions(self) -> list[dict[str, Any]]:
        """As `sessions`."""
        return await asyncio.to_thread(self.sessions)

    async def async_decide_incident(self, session_id: str, *, go_on: bool, actor: str) -> None:
        """As `decide_incident`."""
        await asyncio.to_thread(self.decide_incident, session_id, go_on=go_on, actor=actor)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection("gateway", timeout=self._timeout)
        try:
            connection.sock = _connect(self._path, self._timeout)
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Refused(
                f"The gateway does not answer at {self._path} ({error}). Is `enclave run` running?"
            ) from error
        finally:
            connection.close()
        if response.status == 404:
            raise NotFound(answer["error"])
        if response.status >= 400:
            raise Invalid(answer["error"])
        return answer


def _connect(path: Path, timeout: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


def control_app(
    registry: SessionRegistry,
    budgets: Incidents,
    on_change: Callable[[LiveSession | None, str | None], None],
    at_work: Callable[[LiveSession, float], Awaitable[bool]] | None = None,
) -> web.Application:
    """The control server; `on_change(session, None)` after a registration, `on_change(None, id)` after a cut.

    `at_work(session, seconds)` asks its server whether a kernel computed within so many seconds.
    """

    async def put_session(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        session = LiveSession(
            id=request.match_info["id"],
            person=str(body["person"]),
            project=str(body["project"]),
            tier=int(body["tier"]),
            socket=Path(str(body["socket"])),
            uid=int(body["uid"]),
        )
        registry.register(session)
        on_change(session, None)
        return web.json_response({})

    async def delete_session(request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else {}
        was_running = registry.cut(request.match_info["id"], str(body.get("reason", "")))
        on_change(None, request.match_info["id"])
        return web.json_response({"was_running": was_running})

    async def post_cuts(request: web.Request) -> web.StreamResponse:
        reasons = (await request.json())["reasons"]
        ended = [
            str(session_id) for session_id, reason in reasons.items() if registry.cut(str(session_id), str(reason))
        ]
        for session_id in ended:
            on_change(None, session_id)
        return web.json_response({"ended": ended})

    def cut_warned(session_id: str) -> None:
        session = registry.get(session_id)
        if session is not None and registry.cut(session_id, session.warning):
            on_change(None, session_id)

    async def post_warnings(request: web.Request) -> web.StreamResponse:
        loop, warned = asyncio.get_running_loop(), []
        for session_id, told in (await request.json())["sessions"].items():
            left = registry.warn(str(session_id), str(told["reason"]), float(told["seconds"]))
            if left is not None:
                loop.call_later(left, cut_warned, str(session_id))
                warned.append(str(session_id))
        return web.json_response({"warned": warned})

    async def post_memory(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        told = registry.ran_out_of_memory(str(body["session"]), str(body["sentence"]))
        return web.json_response({"told": told})

    async def post_leases(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        registry.renew([str(one) for one in body["ids"]], float(body["seconds"]))
        return web.json_response({})

    async def post_at_work(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        asked = [session for one in body["ids"] if (session := registry.get(str(one))) is not None]
        if at_work is None:
            return web.json_response({"at_work": []})
        answers = await asyncio.gather(*(at_work(session, float(body["seconds"])) for session in asked))
        found = [session.id for session, works in zip(asked, answers, strict=True) if works]
        return web.json_response({"at_work": found})

    async def get_sessions(_request: web.Request) -> web.StreamResponse:
        rows = [registry.describe(session) | budgets.describe(session) for session in registry.all()]
        return web.json_response({"sessions": rows})

    async def post_budget(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        decision = body["decision"]
        if decision not in ("continue", "end"):
            raise Invalid(f"{decision!r} is no decision; it is continue or end")
        session_id = request.match_info["id"]
        await budgets.decide(session_id, go_on=decision == "continue", actor=str(body["actor"]))
        if decision == "end":
            registry.cut(session_id, "A data steward ended this session after it passed its budget.")
            on_change(None, session_id)
        return web.json_response({})

    app = web.Application(middlewares=[_sentences], client_max_size=1024 * 1024)
    app.router.add_put("/sessions/{id}", put_session)
    app.router.add_delete("/sessions/{id}", delete_session)
    app.router.add_get("/sessions", get_sessions)
    app.router.add_post("/cuts", post_cuts)
    app.router.add_post("/warnings", post_warnings)
    app.router.add_post("/memory", post_memory)
    app.router.add_post("/leases", post_leases)
    app.router.add_post("/at-work", post_at_work)
    app.router.add_post("/budgets/{id}", post_budget)
    return app


@web.middleware
async def _sentences(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except NotFound as error:
        return web.json_response({"error": str(error)}, status=404)
    except AccessError as error:
        return web.json_response({"error": str(error)}, status=400)
    except web.HTTPException as error:  # a body that is too large, a path that there is not
        return web.json_response({"error": error.text or error.reason}, status=error.status)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        return web.json_response({"error": f"the control request is not understood: {error!r}"}, status=400)
