"""A form that could not be taken is shown again: what was typed is still in it, and what is wrong stands beside it.

Pages are served with `no-store`, so a browser that goes back shows an empty form. Instead the page that the form was
on is asked of the portal itself, as the same visitor, and the form in it is filled with what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

import lxml.html
from fastapi import Request
from starlette.responses import HTMLResponse
from starlette.types import Message

from hub.portal.context import the_portal
from hub.portal.login import safe_next

CAME_FROM = "came-from"
NOT_TYPED = frozenset({"hidden", "submit", "button", "reset", "image", "file", "password"})
Fields = list[tuple[str, str]]


async def form_again(request: Request, status: HTTPStatus, sentence: str, field: str = "") -> HTMLResponse | None:
    """The page of the form that was sent, filled again, with the sentence; None when it is not known or not there."""
    fields: Fields | None = getattr(request.state, "fields", None)
    where = _came_from(request, fields or [])
    if fields is None or not where:
        return None
    found = await _page(request, where)
    if found is None:
        return None
    html, policy = found
    again = fill(html, request.url.path, fields, sentence, field=field, came_from=where)
    return HTMLResponse(again, status_code=status, headers={"Content-Security-Policy": policy})


def _came_from(request: Request, fields: Fields) -> str:
    """The page of ours that the form was on, as path and query; empty when the browser does not say."""
    portal = the_portal(request)
    told = next((value for name, value in fields if name == CAME_FROM), "")
    if not told:
        parts = urlsplit(request.headers.get("referer", ""))
        if f"{parts.scheme}://{parts.netloc}" != portal.settings.web.origin:
            return ""
        told = parts.path + (f"?{parts.query}" if parts.query else "")
    return told if safe_next(portal, told) == told else ""


async def _page(request: Request, where: str) -> tuple[bytes, str] | None:
    """What the portal answers this visitor at that address; None unless it is a page."""
    path, _, query = where.partition("?")
    kept = (b"cookie", b"host", b"user-agent", b"accept-language")
    scope = {
        **{name: request.scope.get(name) for name in ("type", "http_version", "scheme", "client", "server")},
        "asgi": request.scope.get("asgi", {"version": "3.0"}),
        "method": "GET",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": request.scope.get("root_path", ""),
        "headers": [(name, value) for name, value in request.scope["headers"] if name in kept],
        "state": {},
    }
    start: dict[str, Any] = {}
    body: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            body.append(message.get("body", b""))

    await request.app(scope, receive, send)
    headers = {name.decode().lower(): value.decode() for name, value in start.get("headers", [])}
    if start.get("status") != HTTPStatus.OK or not headers.get("content-type", "").startswith("text/html"):
        return None
    return b"".join(body), headers["content-security-policy"]


def fill(html: bytes, action: str, fields: Fields, sentence: str, *, field: str = "", came_from: str = "") -> str:
    """The page with the form of that action filled with `fields` and the sentence put beside what it is about."""
    page = lxml.html.document_fromstring(html, parser=lxml.html.HTMLParser(encoding="utf-8"))
    form = _form(page, action, fields)
    if form is not None:
        _fill(form, fields)
    for each in page.forms:
        if each.method == "POST":
            _before(each, "input", 0, type="hidden", name=CAME_FROM, value=came_from)
    _tell(page, form, fields, sentence, field)
    for title in page.iter("title"):
        title.text = f"Error: {title.text}"
    return str(lxml.html.tostring(page, doctype="<!doctype html>", encoding="unicode"))


def _form(page: Any, action: str, fields: Fields) -> Any | None:
    """The form that was sent: of several with that address the one whose fixed values are those that came."""
    sent = {pair for pair in fields if pair[0] not in ("csrf", CAME_FROM)}
    fitting = [form for form in page.forms if form.method == "POST" and _leads_to(form, action)]
    return max(fitting, key=lambda form: len(sent & set(_fixed(form))), default=None)


def _leads_to(form: Any, action: str) -> bool:
    targets = [form.get("action") or "", *(button.get("formaction") or "" for button in form.iter("button"))]
    return any(urlsplit(each).path == action for each in targets)


def _fixed(form: Any) -> Iterable[tuple[str, str]]:
    return ((each.get("name") or "", each.get("value") or "") for each in form.iter("input") if _kind(each) == "hidden")


def _kind(control: Any) -> str:
    return (control.get("type") or "text").lower() if control.tag == "input" else str(control.tag)


def _controls(form: Any) -> list[Any]:
    """What a person fills in, in the order of the page."""
    return [
        each for each in form.iter("input", "textarea", "select") if each.get("name") and _kind(each) not in NOT_TYPED
    ]


def _fill(form: Any, fields: Fields) -> None:
    sent: dict[str, list[str]] = {}
    for name, value in fields:
        sent.setdefault(name, []).append(value)
    fixed = dict(_fixed(form))
    for control in _controls(form):
        name = control.get("name")
        kind = _kind(control)
        number = control.get("value") if name == "pick" else name.rpartition("-")[2]
        if f"name-{number}" in fixed and [fixed[f"name-{number}"]] != sent.get(f"name-{number}"):
            continue  # the list of files has changed since: this number is another file's now
        values = sent.get(name, [])
        if kind in ("checkbox", "radio"):
            _mark(control, "checked", on=(control.get("value") or "on") in values)
        elif kind == "select":
            for option in control.iter("option"):
                given = option.get("value")
                _mark(option, "selected", on=(option.text_content() if given is None else given) in values)
        elif values and kind == "textarea":
            control.text = values[0]
        elif values:
            control.set("value", values[0])


def _mark(element: Any, name: str, *, on: bool) -> None:
    if on:
        element.set(name, name)
    else:
        element.attrib.pop(name, None)


def _tell(page: Any, form: Any | None, fields: Fields, sentence: str, field: str) -> None:
    """Puts the sentence beside its field, else before the form, else at the top of the page."""
    controls = [] if form is None else _controls(form)
    about = _about(controls, dict(reversed(fields)), sentence, field)
    if form is not None:
        for folded in form.iterancestors("details"):
            folded.set("open", "open")
    if about is not None:
        place, at = about.getparent(), about.getparent().index(about)
        name = f"error-{about.get('id') or about.get('name')}"
        _before(place, "p", at, sentence, id=name, role="alert", **{"class": "error"})
        about.set("aria-invalid", "true")
        about.set("aria-describedby", " ".join(filter(None, (about.get("aria-describedby"), name))))
        about.set("autofocus", "autofocus")
        return
    place, at = form, 0
    if form is not None and controls:
        place = form.getparent()
        at = place.index(form)
    else:
        place = next(iter(page.xpath("//main")), page.body)
    notice = _before(place, "div", at, id="form-error", role="alert", tabindex="-1", **{"class": "notice bad"})
    notice.set("autofocus", "autofocus")
    _before(notice, "p", 0, sentence, **{"class": "lines"})


def _about(controls: list[Any], sent: dict[str, str], sentence: str, field: str) -> Any | None:
    """The field that the sentence is about: the one that was named, or the only one whose value it quotes."""
    named = [each for each in controls if field and each.get("name") == field and _kind(each) != "radio"]
    if named:
        return named[0]
    quoted = [
        each
        for each in controls
        if _kind(each) not in ("checkbox", "radio") and _quotes(sentence, sent.get(each.get("name"), ""))
    ]
    return quoted[0] if len(quoted) == 1 else None


def _quotes(sentence: str, value: str) -> bool:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return value in sentence
    return len(value) > 1 and any(f"{a}{value}{b}" in sentence for a, b in ("''", '""', "“”"))


def _before(place: Any, tag: str, at: int, text: str = "", **attributes: str) -> Any:
    """Puts a new element into `place` as its child number `at`; text that stood before its first child stays first."""
    made = place.makeelement(tag, attributes)
    if text:
        made.text = text
    place.insert(at, made)
    return made
