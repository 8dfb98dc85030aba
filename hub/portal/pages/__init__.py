"""The pages, a router a module; each asks services and shows what they answer."""

from __future__ import annotations

import importlib

from fastapi import APIRouter

MODULES = (
    "home",
    "projects",
    "sessions",
    "catalogue",
    "register",
    "drafting",  # before "access", whose paths hold any id
    "access",
    "releases",
    "imports",
    "reviewing",
    "calibration",
    "stewardship",
    "people",
    "managing",
    "policy",
    "audit",
)


def routers() -> list[APIRouter]:
    """The router of each module, in the order in which paths are tried."""
    return [importlib.import_module(f"{__name__}.{name}").router for name in MODULES]
