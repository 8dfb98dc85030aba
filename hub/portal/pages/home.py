"""The first page: what waits for the visitor, by role."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from access_control import access_requests, clock
from access_control.grants import open_proposals
from access_control.models import PolicyProposal, Project
from egress_review import reviews
from hub.notices.due import due_for
from hub.portal import sessions_view
from hub.portal.context import PortalOf, VisitorOf
from hub.portal.rendering import page
from hub.portal.todo import todo_of

router = APIRouter()


@router.get("/")
def home(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """What waits for the visitor."""
    snapshot = portal.snapshot()
    with portal.reading() as db:
        ids = snapshot.projects_of(visitor.id, clock.today())
        projects = list(db.scalars(select(Project).where(Project.id.in_(ids)).order_by(Project.id)))
        values: dict[str, Any] = {
            "projects": projects,
            "sessions": {each.id: sessions_view.latest(db, visitor.id, each.id) for each in projects},
            "todo": todo_of(db, visitor),
            "auditor": visitor.has("auditor"),
            "told": due_for(db, portal.settings, visitor.id),
            "asked": [row for row in access_requests.requests_of(db, visitor.id) if row.state == "asked"],
        }
        if visitor.has("steward", "lead-steward"):
            values["to_review"] = reviews.queue(db, portal.settings, reviewer=visitor.id)
            values["to_grant"] = access_requests.waiting_for(db, visitor.id)
        if visitor.has("admin"):
            values["grants"] = open_proposals(db)
            values["changes"] = list(db.scalars(select(PolicyProposal).where(PolicyProposal.state == "proposed")))
            values["running"] = sessions_view.running(db)
        return page(request, "home.html", title="Home", **values)
