"""Login through JupyterHub's OAuth: off to the hub with a state, back with a code, and a cookie of our own."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from access_control.errors import NotPermitted
from hub.portal.context import FormOf, Portal, PortalOf, VisitorOf

STATE = "portal-state"
STATE_SECONDS = 600

router = APIRouter()


def safe_next(portal: Portal, wanted: str) -> str:
    """Where to go after the login: a page of the portal, whatever was asked for."""
    parts = urlsplit(wanted)
    inside = not parts.scheme and not parts.netloc and wanted.startswith(portal.prefix)
    if not inside or "\\" in wanted or any(ord(character) < 33 for character in wanted):
        return portal.prefix
    return wanted


def begin_login(portal: Portal, wanted: str) -> Response:
    """Sends the browser to the hub; a signed cookie remembers the state and where it wanted to go."""
    state = secrets.token_urlsafe(24)
    answer = RedirectResponse(portal.hub.authorize_url(state), status_code=303)
    answer.set_cookie(
        STATE,
        portal.logins.sign(f"{state} {safe_next(portal, wanted)}".encode().hex()),
        max_age=STATE_SECONDS,
        path=portal.prefix,
        httponly=True,
        samesite="lax",
        secure=portal.settings.web.scheme == "https",
    )
    return answer


@router.get("/oauth_callback", include_in_schema=False)
def callback(request: Request, portal: PortalOf, code: str = "", state: str = "", error: str = "") -> Response:
    """The hub's answer: checks the state, exchanges the code, and begins a login."""
    if error:
        raise NotPermitted("The hub did not let you in to the portal. Log in at the hub first, then come back.")
    kept = portal.logins.unsign(request.cookies.get(STATE))
    known, _, wanted = bytes.fromhex(kept).decode().partition(" ") if kept else ("", "", "")
    if not known or not secrets.compare_digest(known.encode(), state.encode()):
        # A restart of the portal in mid-login, or someone else's link: begin again rather than trust it.
        return begin_login(portal, portal.prefix) if not request.cookies.get(STATE) else _forget_state(portal)
    token = portal.hub.token_for_code(code)
    person = portal.hub.person_of(token)
    if person is None:
        raise NotPermitted("The hub says that this login may not open the portal.")
    login = portal.logins.begin(person, token)
    answer = RedirectResponse(safe_next(portal, wanted), status_code=303)
    answer.set_cookie(
        portal.cookie_name,
        portal.logins.cookie(login),
        path="/" if portal.cookie_name.startswith("__Host-") else portal.prefix,
        httponly=True,
        samesite="lax",
        secure=portal.settings.web.scheme == "https",
    )
    answer.delete_cookie(STATE, path=portal.prefix)
    return answer


def _forget_state(portal: Portal) -> Response:
    answer = RedirectResponse(portal.prefix, status_code=303)
    answer.delete_cookie(STATE, path=portal.prefix)
    return answer


@router.post("/logout", include_in_schema=False)
def logout(portal: PortalOf, visitor: VisitorOf, form: FormOf) -> Response:  # noqa: ARG001 - the form's check is the point
    """Ends this login, and goes on to the hub's own logout."""
    if visitor.login:
        portal.logins.end(visitor.login)
    answer = RedirectResponse(f"{portal.hub.service.public_hub}logout", status_code=303)
    answer.delete_cookie(portal.cookie_name, path="/" if portal.cookie_name.startswith("__Host-") else portal.prefix)
    return answer
