"""My projects: the session of each, what it mounts and why, and what it doesn't and why not."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from access_control import clock
from access_control.errors import NotFound
from access_control.models import Agreement, Project, Role
from access_control.renewals import Renewal, renewals_due
from access_control.terms import label
from access_control.why import explain
from hub.gateway.control import GatewayControl
from hub.portal import intended, sessions_view
from hub.portal.context import FormOf, Portal, PortalOf, Visitor, VisitorOf
from hub.portal.going import go
from hub.portal.numbers import Number
from hub.portal.rendering import fragment, page

router = APIRouter()


@router.get("/projects")
def projects(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """The visitor's projects with their sessions."""
    today = clock.today()
    snapshot = portal.snapshot()
    servers = portal.hub.servers(visitor.id)
    control = GatewayControl(portal.settings.run / "gateway.sock")
    mine = set(visitor.domains("researcher", "lead"))
    open_to = set(snapshot.projects_of(visitor.id, today))
    with portal.reading() as db:
        rows = list(db.scalars(select(Project).where(Project.id.in_(mine | open_to)).order_by(Project.id)))
        shown = [
            {
                "project": row,
                "session": sessions_view.with_budget(
                    sessions_view.view(sessions_view.latest(db, visitor.id, row.id), servers.get(row.id)), control
                ),
                "mounts": snapshot.mounts(visitor.id, row.id, today) if row.id in open_to else [],
                "may_open": row.id in open_to,
                "reason": snapshot.may(visitor.id, "open", today, project=row.id).reason,
            }
            for row in rows
        ]
        return page(request, "projects.html", title="My projects", shown=shown)


def members_only(portal: Portal, visitor: Visitor, project_id: str) -> None:
    """Raises NotFound for a project that isn't there or isn't the visitor's: which there are is not theirs to know."""
    if project_id in visitor.domains("researcher", "lead"):
        return
    if project_id not in portal.snapshot().projects_of(visitor.id, clock.today()):
        raise NotFound(f"You have no project {project_id}. “My projects” shows those that you belong to.")


@router.get("/projects/{project_id}")
def project(request: Request, portal: PortalOf, visitor: VisitorOf, project_id: str) -> Response:
    """One project: session, mounts, refusals, members, agreements."""
    members_only(portal, visitor, project_id)
    today = clock.today()
    snapshot = portal.snapshot()
    with portal.reading() as db:
        row = db.get(Project, project_id)
        if row is None:
            raise NotFound(f"You have no project {project_id}.")
        agreements = list(
            db.scalars(select(Agreement).where(Agreement.project_id == project_id).order_by(Agreement.id))
        )
        due: list[Renewal] = [each for each in renewals_due(db) if each.agreement.project_id == project_id]
        members = list(
            db.scalars(
                select(Role).where(Role.domain == f"project:{project_id}", Role.start <= today, Role.until >= today)
            )
        )
        values: dict[str, Any] = {
            "project": row,
            "purposes": [label(term) for term in row.purposes],
            "session": _session(portal, visitor, project_id),
            "mounts": snapshot.mounts(visitor.id, project_id, today),
            "refusals": snapshot.refusals(visitor.id, project_id, today),
            "may_open": snapshot.may(visitor.id, "open", today, project=project_id),
            "agreements": agreements,
            "due": due,
            "members": members,
            "intended": intended.intended_outputs(db, project_id),
            "may_declare": intended.may_declare(db, project_id, visitor.id),
        }
        return page(request, "project.html", title=row.title, **values)


def _session(portal: Portal, visitor: Visitor, project_id: str) -> sessions_view.SessionView:
    server = portal.hub.servers(visitor.id).get(project_id)
    with portal.reading() as db:
        shown = sessions_view.view(sessions_view.latest(db, visitor.id, project_id), server)
    return sessions_view.with_budget(shown, GatewayControl(portal.settings.run / "gateway.sock"))


@router.get("/projects/{project_id}/session")
def session_box(request: Request, portal: PortalOf, visitor: VisitorOf, project_id: str) -> Response:
    """The session's box alone, which the page asks for again while it starts or stops."""
    members_only(portal, visitor, project_id)
    may_open = portal.snapshot().may(visitor.id, "open", clock.today(), project=project_id)
    session = _session(portal, visitor, project_id)
    return fragment(request, "session_box.html", project_id=project_id, session=session, may_open=may_open)


@router.post("/projects/{project_id}/intended")
def declare(portal: PortalOf, visitor: VisitorOf, form: FormOf, project_id: str) -> Response:
    """Declares an output that the project intends to release."""
    members_only(portal, visitor, project_id)
    with portal.writing() as db:
        intended.declare(db, project_id, form.text("text"), actor=visitor.id)
    return go(portal, visitor, f"projects/{project_id}", "Declared. Reviewers see it beside each request.")


@router.post("/projects/{project_id}/intended/{output_id}/strike")
def strike(portal: PortalOf, visitor: VisitorOf, form: FormOf, project_id: str, output_id: Number) -> Response:  # noqa: ARG001
    """Takes an output from the list."""
    members_only(portal, visitor, project_id)
    with portal.writing() as db:
        intended.strike(db, project_id, output_id, actor=visitor.id)
    return go(portal, visitor, f"projects/{project_id}", "Struck from the list.")


@router.get("/projects/{project_id}/why")
def why(request: Request, portal: PortalOf, visitor: VisitorOf, project_id: str, data: str) -> Response:
    """Why the visitor sees some data in this project, or why not."""
    members_only(portal, visitor, project_id)
    sentences = explain(portal.snapshot(), visitor.id, project_id, data, clock.today())
    return page(
        request,
        "why.html",
        title="Why you see this data, or why not",
        sentences=sentences,
        person=visitor.id,
        project=project_id,
        data=data,
        ask=False,
    )
