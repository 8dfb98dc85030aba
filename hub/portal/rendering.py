"""Templates: Jinja2 with autoescape always on and undefined names an error."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from access_control import clock
from access_control.models import FOREVER
from hub.portal.context import Visitor, the_portal
from hub.portal.security import content_security_policy

HERE = Path(__file__).parent
TIERS = {0: "open", 1: "internal", 2: "controlled", 3: "restricted", 4: "highly restricted"}


def moment(value: datetime | str | None) -> str:
    """A time as people read it, in UTC: 20 Nov 2026, 18:04."""
    if value is None:
        return "—"
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.astimezone(UTC).strftime("%-d %b %Y, %H:%M")


def day(value: date | None) -> str:
    """A day as people read it; the last day of the calendar means without end."""
    if value is None:
        return "—"
    return "without end" if value >= FOREVER else value.strftime("%-d %b %Y")


def ago(value: datetime | None) -> str:
    """How long ago, in the largest unit that fits."""
    if value is None:
        return "—"
    seconds = max(0, int((clock.now() - value).total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


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
    env.filters.update(moment=moment, day=day, ago=ago, size=size, pretty=_pretty)
    env.globals.update(TIERS=TIERS)
    return env


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str)


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
