"""How well reviewers find what is unsafe; for the lead steward alone."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from egress_review import seeding
from hub.portal.context import PortalOf, VisitorOf
from hub.portal.rendering import page

router = APIRouter()


@router.get("/calibration")
def calibration(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """Misses, agreement and time of the reviewers of the lead steward's owners."""
    with portal.reading() as db:
        figures = seeding.calibration(db, portal.settings, actor=visitor.id)
    return page(request, "calibration.html", title="Calibration", figures=figures)
