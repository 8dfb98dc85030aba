"""The session page: starts, frames and stops the visitor's own session in a project."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from access_control import clock
from access_control.errors import NotFound, NotPermitted
from access_control.models import Project
from hub import tickets
from hub.portal import sessions_view
from hub.portal.context import FormOf, Portal, PortalOf, Visitor, VisitorOf
from hub.portal.going import go
from hub.portal.pages.projects import members_only
from hub.portal.rendering import fragment, page

router = APIRouter()


def _view(portal: Portal, visitor: Visitor, project_id: str) -> sessions_view.SessionView:
    server = portal.hub.servers(visitor.id).get(project_id)
    with portal.reading() as db:
        return sessions_view.view(sessions_view.latest(db, visitor.id, project_id), server)


def start_session(portal: Portal, visitor: Visitor, project_id: str) -> None:
    """Asks the hub for the visitor's session; raises NotPermitted with the reason when the policy says no."""
    decision = portal.snapshot().may(visitor.id, "open", clock.today(), project=project_id)
    if not decision.allowed:
        raise NotPermitted(f"No session can be opened in {project_id}. {decision.reason}")
    portal.hub.start(visitor.id, project_id)


@router.post("/projects/{project_id}/start")
def start(portal: PortalOf, visitor: VisitorOf, form: FormOf, project_id: str) -> Response:  # noqa: ARG001
    """Starts the session and goes to its page."""
    start_session(portal, visitor, project_id)
    return go(portal, visitor, f"sessions/{quote(project_id)}")


@router.post("/projects/{project_id}/stop")
def stop(portal: PortalOf, visitor: VisitorOf, form: FormOf, project_id: str) -> Response:  # noqa: ARG001
    """Stops the visitor's session; the workspace stays."""
    portal.hub.stop(visitor.id, project_id)
    return go(portal, visitor, f"projects/{quote(project_id)}", "The session was stopped. Your workspace is kept.")


@router.get("/sessions/{project_id}")
def session(request: Request, portal: PortalOf, visitor: VisitorOf, project_id: str) -> Response:
    """The session, full height; while it starts a page that follows; once it is over, why."""
    members_only(portal, visitor, project_id)
    shown = _view(portal, visitor, project_id)
    with portal.reading() as db:
        project = db.get(Project, project_id)
        if project is None:
            raise NotFound(f"You have no project {project_id}.")
        values: dict[str, Any] = {"title": project.title, "project": project, "session": shown, "frame_url": None}
        frame = "'none'"
        if shown.state == "running" and shown.record is not None:
            frame = portal.settings.web.session_origin(shown.record.id)
            key = tickets.read_key(portal.settings.keys / "ticket.key")
            ticket = tickets.issue(key, shown.record.id, visitor.id)
            values["frame_url"] = f"{frame}/enter?ticket={quote(ticket, safe='')}"
        decision = portal.snapshot().may(visitor.id, "open", clock.today(), project=project_id)
        return page(request, "session.html", frame=frame, may_open=decision, **values)


@router.get("/sessions/{project_id}/watch")
def watch(
    request: Request, portal: PortalOf, visitor: VisitorOf, project_id: str, *, state: str, session: str = ""
) -> Response:
    """What the session page asks every few seconds: nothing new, or reload, or the message that it is over."""
    members_only(portal, visitor, project_id)
    shown = _view(portal, visitor, project_id)
    if shown.state == state and (not shown.record or not session or shown.record.id == session):
        return Response(status_code=204)
    if state == "running" and shown.state in ("ended", "stopping"):
        return fragment(request, "session_over.html", project_id=project_id, session=shown)
    return Response(status_code=204, headers={"HX-Refresh": "true"})
