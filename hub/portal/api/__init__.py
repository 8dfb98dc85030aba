"""The JSON API, a router a module; the same service calls as the pages."""

from __future__ import annotations

import importlib

from fastapi import APIRouter

MODULES: tuple[str, ...] = ("me", "work", "access", "releases", "imports", "oversight")


def routers() -> list[APIRouter]:
    """The router of each module."""
    return [importlib.import_module(f"{__name__}.{name}").router for name in MODULES]
