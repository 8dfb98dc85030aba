"""Templates: Jinja2 with autoescape always on and undefined names an error."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import select
from starlette.responses import HTMLResponse

from access_control import clock
from access_control.models import FOREVER, Person
from hub.portal.context import Portal, Visitor, the_portal
from hub.portal.security import content_security_policy

HERE = Path(__file__).parent
TIERS = {0: "open", 1: "internal", 2: "controlled", 3: "restricted", 4: "highly restricted"}


def moment(value: datetime | str | None) -> Markup | str:
    """A time to the minute with its zone, which is UTC everywhere: 2026-11-20 18:04 UTC."""
    if value is None:
        return "—"
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    exact = value.astimezone(UTC)
    return _time(exact, exact.strftime("%Y-%m-%d %H:%M UTC"))


def day(value: date | None) -> str:
    """A day as 2026-11-20; the last day of the calendar means without end."""
    if value is None:
        return "—"
    return "without end" if value >= FOREVER else value.isoformat()


def ago(value: datetime | None) -> Markup | str:
    """How long ago, in the largest unit that fits; the exact time is in the element's title."""
    if value is None:
        return "—"
    seconds = max(0, int((clock.now() - value).total_seconds()))
    words = "just now"
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            words = f"{count} {unit}{'' if count == 1 else 's'} ago"
            break
    return _time(value.astimezone(UTC), words)


def _time(exact: datetime, words: str) -> Markup:
    title = exact.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact.isoformat(timespec="seconds"), title, words)


def number(value: int) -> str:
    """A whole number that can be read: 20,190."""
    return f"{value:,}"


def plainly(sentence: str) -> str:
    """A reason of the policy without the name of a row that nobody wrote: those that stand in the program."""
    said = _STANDING.sub("", sentence)
    return said[:1].upper() + said[1:] + ("" if said.endswith((".", "!", "?")) or not said else ".")


_STANDING = re.compile(r"\bSTANDING-[A-Z-]+ does not apply: ")


def size(value: int) -> str:
    """A number of bytes as people read it."""
    amount = float(value)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def environment() -> Environment:
    """The templates' environment."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(moment=moment, day=day, ago=ago, size=size, number=number, plainly=plainly, pretty=_pretty)
    env.globals.update(TIERS=TIERS)
    return env


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str)


class Names:
    """People's names for a page, read when the first is asked for."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._names: dict[str, str] | None = None

    def __call__(self, person: str) -> str:
        """`Ana Ferreira (ana)`; the id alone when nobody has it, as of a program."""
        if self._names is None:
            with self._portal.reading() as db:
                self._names = {row.id: row.name for row in db.execute(select(Person.id, Person.name))}
        name = self._names.get(person)
        return f"{name} ({person})" if name else person


ENVIRONMENT = environment()


def page(
    request: Request, template: str, *, status: int = HTTPStatus.OK, frame: str = "'none'", **values: Any
) -> HTMLResponse:
    """Renders a page for the visitor of the request; `frame` is the one origin that it may frame."""
    portal = the_portal(request)
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    html = ENVIRONMENT.get_template(template).render(
        {
            "visitor": visitor,
            "messages": visitor.login.take_messages() if visitor and visitor.login else [],
            "base": portal.prefix,
            "here": request.url.path,
            "hub_base": portal.hub.service.public_hub,
            "csrf": visitor.csrf if visitor else "",
            "who": Names(portal),
            **values,
        }
    )
    return HTMLResponse(
        html, status_code=status, headers={"Content-Security-Policy": content_security_policy(frame=frame)}
    )


def fragment(request: Request, template: str, *, status: int = HTTPStatus.OK, **values: Any) -> HTMLResponse:
    """Renders a part of a page that HTMX puts in place; messages wait for the next whole page."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    html = ENVIRONMENT.get_template(template).render(
        {"visitor": visitor, "base": the_portal(request).prefix, "csrf": visitor.csrf if visitor else "", **values}
    )
    return HTMLResponse(html, status_code=status)


def part(request: Request, template: str, *, title: str, back: str, **values: Any) -> HTMLResponse:
    """A part of a page for HTMX; for a browser without scripts a page of its own with a link back to `back`."""
    if request.headers.get("hx-request"):
        return fragment(request, template, **values)
    return page(request, "part_page.html", part=template, title=title, back=back, **values)
