"""The JSON API, a router a module; the same service calls as the pages."""

from __future__ import annotations

import importlib
from typing import Any

from fastapi import APIRouter

from hub.portal.api.shapes import Problem

MODULES: tuple[str, ...] = ("me", "work", "access", "releases", "stewarding", "imports", "oversight")

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": what}
    for status, what in (
        (400, "The request cannot be read."),
        (401, "Nobody is logged in."),
        (403, "The caller may not do this."),
        (404, "There is no such thing, or none that the caller may know of."),
        (409, "Not possible now, or the header X-CSRF-Token is missing."),
        (413, "The body is too big."),
        (422, "Something is missing or wrong."),
    )
}


def routers() -> list[APIRouter]:
    """The router of each module."""
    return [importlib.import_module(f"{__name__}.{name}").router for name in MODULES]
