"""What the gateway answers by itself, without asking the container: pages, JupyterLab's files, and how the session
stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import hdrs, web

from access_control.settings import Settings
from hub.gateway import headers, lab_page, news, pages, screen
from hub.gateway.allowlist import Asked, Kind, front_page
from hub.gateway.budgets import Budgets
from hub.gateway.sessions import LiveSession
from hub.gateway.static_files import TrustedFiles

_HTML = "text/html; charset=utf-8"
_SCRIPT = "text/javascript; charset=utf-8"
_HOUR = "private, max-age=3600"
_TRANSLATIONS = {"data": {"en": {"displayName": "English", "nativeName": "English"}}, "message": ""}
_TREE = re.compile(r"/lab(?:/workspaces/(?P<workspace>[^/]+))?(?:/tree/(?P<tree>.+))?")


@dataclass(frozen=True)
class OwnAnswers:
    """One for the gateway. `headers_of` gives the headers of an answer: session's id, type, and how long it is kept."""

    settings: Settings
    files: TrustedFiles
    viewer: dict[str, bytes]
    budgets: Budgets
    headers_of: Callable[..., dict[str, str]]

    def answer(self, request: web.BaseRequest, session: LiveSession, asked: Asked) -> web.Response | None:
        """The answer to a request of the kinds Static, Page and Own; None when there is no such file."""
        if asked.route.kind is Kind.Static:
            return self._static(request, session, asked)
        if asked.route.kind is Kind.Page:
            return self._page(session, asked)
        return self._own(session, asked)

    def _static(self, request: web.BaseRequest, session: LiveSession, asked: Asked) -> web.Response | None:
        if self.settings.tiers[session.tier].pixels_only:
            script = self.viewer.get(asked.path)
            return None if script is None else self._text(session, script, _SCRIPT, _HOUR)
        body = self.files.find(asked.path, request.headers.get(hdrs.ACCEPT_ENCODING, ""))
        if body is None:
            return None
        sent = self.headers_of(session.id, body.media_type, body.cache)
        if body.encoding:
            sent[hdrs.CONTENT_ENCODING] = body.encoding
        sent[hdrs.VARY] = "Accept-Encoding"
        return web.Response(body=body.data, headers=sent)

    def _page(self, session: LiveSession, asked: Asked) -> web.Response:
        tier = self.settings.tiers[session.tier]
        if tier.pixels_only:
            return self._text(session, screen.page(session.project), _HTML)
        match = _TREE.fullmatch(asked.path)
        body = lab_page.write(
            self.files,
            tree_path=(match and match["tree"]) or "",
            workspace=(match and match["workspace"]) or "default",
            project=session.project,
            terminals=tier.terminals,
            script=tier.printed_script,
        )
        sent = self.headers_of(session.id, _HTML)
        sent[hdrs.LINK] = f"</static/lab/{self.files.main}?v={self.files.main.split('.')[1]}>; rel=preload; as=script"
        return web.Response(body=body, headers=sent)

    def _own(self, session: LiveSession, asked: Asked) -> web.Response:
        if asked.path == "/":
            there = front_page(self.settings.tiers[session.tier])
            sent = self.headers_of(session.id, "text/plain") | {hdrs.LOCATION: there}
            return web.Response(status=303, headers=sent)
        if asked.path == "/enclave/screen.js":
            return self._text(session, screen.SCRIPT, _SCRIPT, _HOUR)
        if asked.path == "/enclave/page.js":
            return self._text(session, pages.PAGE_SCRIPT, _SCRIPT, _HOUR)
        if asked.path == "/favicon.ico":
            sent = self.headers_of(session.id, "image/x-icon", "private, max-age=86400")
            return web.Response(status=204, headers=sent)
        if asked.path == "/enclave/status":
            return self._json(session, news.status(session, self.budgets))
        if asked.path == "/api/me":
            name = session.person
            identity = {"username": name, "name": name, "display_name": name, "initials": name[:2].upper()}
            return self._json(session, {"identity": identity | {"avatar_url": None, "color": None}, "permissions": {}})
        return self._json(
            session, _TRANSLATIONS if asked.path == "/lab/api/translations" else {"data": {}, "message": ""}
        )

    def _json(self, session: LiveSession, body: object) -> web.Response:
        return self._text(session, json.dumps(body).encode(), headers.JSON)

    def _text(self, session: LiveSession, body: bytes, kind: str, cache: str = "no-store") -> web.Response:
        return web.Response(body=body, headers=self.headers_of(session.id, kind, cache))
