"""The portal's application: routers, middleware, static files and answers to errors, put together."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from access_control.database import open_database
from access_control.keeper import PolicyKeeper
from access_control.settings import Settings
from hub.portal import api, login, pages, problems
from hub.portal.context import Portal
from hub.portal.hubapi import HubClient, HubService
from hub.portal.logins import Logins
from hub.portal.security import Guard

STATIC = Path(__file__).parent / "static"


class Static(StaticFiles):
    """Our own style sheet, scripts and icon, which browsers may keep for ten minutes."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with the time that it may be kept."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "max-age=600"
        return answer


def make_portal(settings: Settings, service: HubService) -> Portal:
    """The parts of the portal, from the settings and what the hub gave its service."""
    engine = open_database(settings.database)
    hub = HubClient(service)
    return Portal(settings, engine, PolicyKeeper(engine, settings.data_root), hub, Logins(hub.person_of))


def make_app(portal: Portal) -> FastAPI:
    """The ASGI application; every path lies below the service's prefix."""
    prefix = portal.prefix.rstrip("/")
    app = FastAPI(
        title="Enclave portal",
        summary="Projects, sessions, access, release requests, reviews, people, policy and audit of the enclave.",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{prefix}/api/openapi.json",
    )
    app.state.portal = portal
    app.add_middleware(
        Guard,
        origin=portal.settings.web.origin,
        api=f"{prefix}/api/",
        secure=portal.settings.web.scheme == "https",
        uploads=tuple(f"{prefix}/{each}/" for each in ("imports", "api/imports", "calibration", "api/calibration")),
        upload_bytes=portal.settings.egress.max_file_bytes,
    )
    problems.install(app)
    app.mount(f"{prefix}/static", Static(directory=STATIC), name="static")
    app.include_router(login.router, prefix=prefix)
    for router in api.routers():
        app.include_router(router, prefix=f"{prefix}/api", responses=api.PROBLEMS)
    for router in pages.routers():
        app.include_router(router, prefix=prefix, include_in_schema=False)
    return app
