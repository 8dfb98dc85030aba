"""The gateway's request handler: from Host header to session, through every check, to the answer."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version

import aiohttp
from aiohttp import hdrs, web

from access_control.errors import AccessError, NotPermitted, Refused
from access_control.settings import Settings
from hub.gateway import contents, entrance, headers, news, pages, screen, websockets
from hub.gateway.allowlist import Asked, Closed, Kind, find, front_page
from hub.gateway.aside import Aside, TookTooLong
from hub.gateway.budgets import Budgets, Level, Paused
from hub.gateway.held import TooMuchAtOnce
from hub.gateway.own import OwnAnswers
from hub.gateway.pages import Words
from hub.gateway.passing import Passing
from hub.gateway.routes_to_proxy import session_of_host
from hub.gateway.sessions import LiveSession, SessionRegistry
from hub.gateway.static_files import TrustedFiles
from hub.gateway.upstream import Upstream
from hub.tickets import Redeemer

log = logging.getLogger(__name__)
_HUB_PATH = re.compile(r"/user/(?P<person>[^/]+)/(?P<project>[^/]+)(?P<rest>/.*)?")
_LEASE_LOOKS, _LEASE_LOOK_SECONDS = 150, 0.02
_WEBSOCKETS = (Kind.Kernel, Kind.Terminal, Kind.Silence, Kind.Screen, Kind.News)


@dataclass
class Gateway:
    """Everything that a request needs. `has_route` says whether the proxy leads to a session yet."""

    settings: Settings
    registry: SessionRegistry
    budgets: Budgets
    key: bytes
    files: TrustedFiles
    has_route: Callable[[str], bool] = lambda _session_id: True
    viewer: dict[str, bytes] = field(default_factory=dict)  # noVNC's scripts by address, where a tier needs them

    def __post_init__(self) -> None:
        self._redeemer = Redeemer(self.key)
        self._upstreams: dict[str, Upstream] = {}
        self._portal = self.settings.web.origin
        self._secure = self.settings.web.scheme == "https"
        self._aside = Aside()
        self._passing = Passing(self.budgets, self._aside)
        self._own = OwnAnswers(self.settings, self.files, self.viewer, self.budgets, self._headers)
        self._version = version("jupyterhub")

    def upstream(self, session: LiveSession) -> Upstream:
        """The client to a session's container."""
        found = self._upstreams.get(session.id)
        if found is None:
            found = self._upstreams[session.id] = Upstream(session.socket, session.uid)
        return found

    async def forget(self, session_id: str) -> None:
        """Closes what is held of an ended session."""
        upstream = self._upstreams.pop(session_id, None)
        self.budgets.forget(session_id)
        if upstream is not None:
            await upstream.close()

    async def close(self) -> None:
        """Ends what was begun beside the event loop."""
        await self._aside.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers any request; nothing that goes wrong leaves it without words."""
        session_id = session_of_host(request.headers.get(hdrs.HOST, ""), self.settings.web)
        if session_id is None:
            return await self._for_hub(request)
        try:
            return await self._for_session(request, session_id)
        except (Paused, contents.TooLarge) as error:
            words = pages.paused(str(error)) if isinstance(error, Paused) else pages.refused(str(error), 413)
        except NotPermitted as error:
            words = pages.refused(str(error))
        except (TooMuchAtOnce, TookTooLong) as error:
            words = pages.refused(str(error), 429)
        except Refused as error:
            log.warning("session %s: %s", session_id, error)
            words = pages.REFUSED_ANSWER
        except AccessError as error:
            words = pages.refused(str(error))
        except (aiohttp.ClientConnectionError, OSError, TimeoutError):
            self._note_silence(session_id)
            words = self._died(session_id)
        except aiohttp.ClientError as error:
            log.warning("session %s: %s", session_id, type(error).__name__)
            words = pages.REFUSED_ANSWER
        except Exception:
            log.exception("session %s: a request could not be answered", session_id)
            words = pages.OUR_FAULT
        return self._say(request, words, session_id)

    def _note_silence(self, session_id: str) -> None:
        session = self.registry.get(session_id)
        if session is not None:
            session.silent = True

    def _died(self, session_id: str) -> Words:
        session = self.registry.get(session_id)
        return pages.died(session.memory if session is not None else "")

    def _headers(self, session_id: str, content_type: str, cache: str = "no-store") -> dict[str, str]:
        origin = self.settings.web.session_origin(session_id)
        session = self.registry.get(session_id)
        frames = session is not None and self.settings.tiers[session.tier].printed_script
        return headers.response_headers(origin, self._portal, content_type, cache=cache, frames=frames)

    def _say(self, request: web.BaseRequest, words: Words, session_id: str, project: str = "") -> web.Response:
        """Words as a page to a person, as JSON to a script."""
        if "text/html" in request.headers.get(hdrs.ACCEPT, ""):
            link = f"{self._portal}/services/portal/" + (f"sessions/{project}" if project else "")
            sent = self._headers(session_id, "text/html; charset=utf-8")
            return web.Response(status=words.status, body=words.html(link), headers=sent)
        return web.Response(status=words.status, body=words.json(), headers=self._headers(session_id, headers.JSON))

    async def _for_hub(self, request: web.BaseRequest) -> web.StreamResponse:
        """The hub's own path of a session: its readiness, and the way to the portal's page."""
        match = _HUB_PATH.fullmatch(request.path)
        if match is None:
            return web.Response(status=404, text="Not here.\n", headers={"X-Content-Type-Options": "nosniff"})
        project = match["project"]
        session = self.registry.of(match["person"], project)
        if match["rest"] == "/api":
            ready = session is not None and await self._is_ready(session)
            body = {"version": self._version} if ready else {"message": "the session's server does not answer yet"}
            sent = {"X-JupyterHub-Version": self._version, "X-Content-Type-Options": "nosniff"}
            return web.json_response(body, status=200 if ready else 503, headers=sent)
        known = session is not None or re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", project)
        place = f"sessions/{project}" if known else ""
        return web.Response(status=302, headers={hdrs.LOCATION: f"{self._portal}/services/portal/{place}"})

    async def _is_ready(self, session: LiveSession) -> bool:
        if not session.ready and self.has_route(session.id):
            session.ready = await self._answers(session)
        return session.ready

    async def _answers(self, session: LiveSession) -> bool:
        if self.settings.tiers[session.tier].pixels_only:
            return await screen.answers(session)
        return await self.upstream(session).answers()

    async def _for_session(self, request: web.BaseRequest, session_id: str) -> web.StreamResponse:
        session = self.registry.get(session_id)
        if session is None:
            told = self.registry.ended(session_id)
            if told is None:
                return self._say(request, pages.NO_SESSION, session_id)
            return self._say(request, pages.ended(told[0]), session_id, told[1])
        tier = self.settings.tiers[session.tier]
        asked = find(request.method, request.rel_url.raw_path, _query(request), tier)
        websocket = websockets.is_websocket(request)
        kind = asked.route.kind if isinstance(asked, Asked) else Kind.Own
        origin = self.settings.web.session_origin(session_id)
        elsewhere = entrance.asks_from_elsewhere(request.method, request.headers, origin, kind, websocket=websocket)
        if elsewhere == "top":
            there = f"{self._portal}/services/portal/sessions/{session.project}"
            return web.Response(status=303, headers=self._headers(session_id, "text/plain") | {hdrs.LOCATION: there})
        if elsewhere:
            return self._say(request, pages.OTHER_SITE, session_id, session.project)
        if isinstance(asked, Asked) and asked.path == "/enter":
            return await self._enter(request, session)
        cookie = _cookie(request.headers, entrance.cookie_name(self._secure))
        if not entrance.cookie_holds(self.key, cookie, session.id, session.person):
            return self._say(request, pages.NOT_SIGNED_IN, session_id, session.project)
        if isinstance(asked, Closed):
            return self._say(request, pages.BY_REASON[asked.why], session_id, session.project)
        if not self.registry.fresh(session):
            return self._say(request, pages.WAITING, session_id, session.project)
        if websocket != (kind in _WEBSOCKETS):
            return self._say(request, pages.METHOD, session_id, session.project)
        return await self._serve(request, session, asked)

    async def _serve(self, request: web.BaseRequest, session: LiveSession, asked: Asked) -> web.StreamResponse:
        kind = asked.route.kind
        tier = self.settings.tiers[session.tier]
        if asked.path == "/enclave/status" and kind is Kind.Own and session.silent:
            if not await self._answers(session):
                return self._say(request, self._died(session.id), session.id)
            session.silent = False
        if kind in (Kind.Static, Kind.Own, Kind.Page):
            if kind is Kind.Page:
                session.touch()
            own = self._own.answer(request, session, asked)
            return self._say(request, pages.NO_FILE, session.id, session.project) if own is None else own
        if kind is Kind.News:
            if session.websockets >= websockets.MOST_WEBSOCKETS:
                return self._say(request, pages.refused("Too many pages are open.", 429), session.id)
            sent = self._headers(session.id, headers.JSON)
            return await news.tell(request, session, lambda: news.status(session, self.budgets), sent)
        if kind is Kind.Silence:
            return await websockets.stay_silent(request, session, self._headers(session.id, headers.JSON))
        if self.budgets.level(session) is Level.Paused:
            return self._say(request, pages.paused(self.budgets.sentence(session)), session.id, session.project)
        if kind is Kind.Screen:
            return await self._screen(request, session)
        if kind in (Kind.Kernel, Kind.Terminal):
            if session.websockets >= websockets.MOST_WEBSOCKETS:
                return self._say(request, pages.refused("Too many kernels are open; shut some down.", 429), session.id)
            sent = self._headers(session.id, headers.JSON)
            return await websockets.relay(
                request,
                session,
                asked,
                upstream=self.upstream(session),
                budgets=self.budgets,
                tier=tier,
                headers=sent,
                aside=self._aside,
            )
        if request.method != "GET":
            session.touch()
        sent = self._headers(session.id, headers.JSON)
        answer = await self._passing.pass_on(
            request, session, asked, upstream=self.upstream(session), tier=tier, sent=sent
        )
        session.silent = False
        return answer

    async def _screen(self, request: web.BaseRequest, session: LiveSession) -> web.StreamResponse:
        if session.websockets >= screen.MOST_VIEWERS:
            return self._say(request, pages.refused("This session's screen is open too often.", 429), session.id)
        sent = self._headers(session.id, headers.JSON)
        answer = await screen.relay(request, session, budgets=self.budgets, headers=sent)
        session.silent = False
        return answer

    async def _enter(self, request: web.BaseRequest, session: LiveSession) -> web.Response:
        try:
            person = self._redeemer.redeem(request.query.get("ticket", ""), session.id)
            if person != session.person:
                raise NotPermitted("This session belongs to somebody else.")  # noqa: TRY301 - one way to say no
        except NotPermitted as error:
            words = Words(403, pages.BAD_TICKET, (str(error),))
            return self._say(request, words, session.id, session.project)
        for _ in range(_LEASE_LOOKS):  # the warden's first decision on a new session
            if self.registry.fresh(session) or session.ended:
                break
            await asyncio.sleep(_LEASE_LOOK_SECONDS)
        session.touch()
        there = front_page(self.settings.tiers[session.tier])
        answer = web.Response(status=303, headers=self._headers(session.id, "text/plain") | {hdrs.LOCATION: there})
        answer.set_cookie(
            entrance.cookie_name(self._secure),
            entrance.make_cookie(self.key, session.id, person),
            path="/",
            httponly=True,
            secure=self._secure,
            samesite="Strict",
            max_age=entrance.COOKIE_SECONDS,
        )
        return answer


def _query(request: web.BaseRequest) -> list[tuple[str, str]]:
    return list(request.rel_url.query.items()) if "?" in request.path_qs else []


def _cookie(sent: object, name: str) -> str:
    """The value of the one cookie that is ours; a name that is there twice counts as none."""
    text = sent.get(hdrs.COOKIE, "") if hasattr(sent, "get") else ""
    found = [value for key, _, value in (part.strip().partition("=") for part in text.split(";")) if key == name]
    return found[0] if len(found) == 1 else ""
