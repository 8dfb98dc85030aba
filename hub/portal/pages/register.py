"""The public register of projects, without a login, where the settings open it."""

from __future__ import annotations

import time
from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from starlette.responses import JSONResponse, Response

from access_control.errors import NotFound
from hub.portal.context import Portal, PortalOf
from hub.portal.register import RegisterEntry, read_register
from hub.portal.rendering import page

router = APIRouter(prefix="/register")
KEPT_SECONDS = 60.0


def entries_of(request: Request, portal: Portal) -> list[RegisterEntry]:
    """The register, read at most once a minute as anybody may ask; raises NotFound when it is off."""
    if not portal.settings.web.public_register:
        raise NotFound("There is no such page. The menu shows what there is.")
    kept: tuple[float, list[RegisterEntry]] | None = getattr(request.app.state, "register", None)
    if kept is None or time.monotonic() - kept[0] > KEPT_SECONDS:
        with portal.reading() as db:
            kept = (time.monotonic(), read_register(db))
        request.app.state.register = kept
    return kept[1]


@router.get("")
def register(request: Request, portal: PortalOf) -> Response:
    """The register as a page."""
    return page(request, "register.html", title="Register of projects", entries=entries_of(request, portal))


@router.get(".json")
def as_json(request: Request, portal: PortalOf) -> Response:
    """The register for programs."""
    return JSONResponse({"projects": jsonable_encoder([asdict(each) for each in entries_of(request, portal)])})
