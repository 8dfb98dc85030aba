"""How well reviewers find what is unsafe; for the lead steward alone, who also seeds what is known to be unsafe."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from access_control import clock
from access_control.models import Role
from egress_review import seeding
from egress_review.errors import Invalid
from hub.portal.context import FormOf, PortalOf, VisitorOf
from hub.portal.going import go
from hub.portal.pages.access import visible_agreements
from hub.portal.pages.imports import plain_name
from hub.portal.rendering import page

router = APIRouter(prefix="/calibration")


@router.get("")
def calibration(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """Misses, agreement and time of the reviewers of the lead steward's owners, and the form to seed a request."""
    today = clock.today()
    with portal.reading() as db:
        figures = seeding.calibration(db, portal.settings, actor=visitor.id)
        projects = sorted({row.project_id for row in visible_agreements(db, visitor) if row.state == "active"})
        members = select(Role.person_id).where(
            Role.domain.in_([f"project:{each}" for each in projects]), Role.start <= today, Role.until >= today
        )
        people = sorted(set(db.scalars(members)))
    return page(
        request,
        "calibration.html",
        title="Calibration",
        figures=figures,
        projects=projects,
        people=people,
        limits=portal.settings.egress,
    )


@router.post("/upload")
def seed(portal: PortalOf, visitor: VisitorOf, form: FormOf) -> Response:
    """Puts one known-unsafe file into the queue in a member's name; the log tells who did it, and that it is seeded."""
    most = portal.settings.egress.max_file_bytes
    data = form.file.file.read(most + 1)
    if len(data) > most:
        raise Invalid(f"That file has more than {most} bytes, the most that a file in the queue may have.")
    request_id = seeding.seed(
        portal.engine,
        portal.settings,
        project_id=form.text("project"),
        as_author=form.text("author"),
        title=form.text("title"),
        purpose=form.text("purpose"),
        files={plain_name(form.file.filename): (data, form.text("context"))},
        why_unsafe=form.text("why_unsafe"),
        actor=visitor.id,
    )
    said = f"{request_id} is in the queue. It can never be released; how reviewers vote on it is counted here."
    return go(portal, visitor, "calibration", said)
