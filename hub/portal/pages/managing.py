"""For admins: projects, and the sessions running now with their mounts."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from access_control import audit, clock, projects
from access_control.audit import Act
from access_control.errors import Invalid, NotFound
from access_control.models import Project, SessionRecord
from access_control.terms import TERMS, label
from hub.gateway.control import GatewayControl
from hub.portal import sessions_view
from hub.portal.context import FormOf, Portal, PortalOf, Visitor, VisitorOf
from hub.portal.going import go
from hub.portal.pages.people import check_duty
from hub.portal.rendering import page

router = APIRouter()


@router.get("/manage-projects")
def all_projects(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """Every project, with the forms to add one and to change its state."""
    check_duty(portal, visitor, "administer", "audit")
    today = clock.today()
    with portal.reading() as db:
        rows = list(db.scalars(select(Project).order_by(Project.id)))
        return page(
            request,
            "manage_projects.html",
            title="Projects",
            projects=rows,
            label=label,
            terms=list(TERMS.values()),
            steps=projects.PROJECT_TRANSITIONS,
            today=today,
            next_year=date(today.year + 1, 12, 31),
        )


@router.post("/manage-projects")
def add_project(portal: PortalOf, visitor: VisitorOf, form: FormOf) -> Response:
    """Adds a project, in the state proposed."""
    with portal.writing() as db:
        row = projects.add_project(
            db,
            id=form.text("id"),
            title=form.text("title"),
            description=form.text("description", ""),
            tier=form.whole("tier"),
            region=form.text("region"),
            purposes=form.all("purposes"),
            start=form.day("start"),
            until=form.day("until"),
            ethics_reference=form.text("ethics_reference", ""),
            contract_reference=form.text("contract_reference", ""),
            assessment_reference=form.text("assessment_reference", ""),
            actor=visitor.id,
        )
    return go(portal, visitor, "manage-projects", f"{row.title} is proposed. Activate it when its papers are in order.")


@router.post("/manage-projects/{project_id}/state")
def set_state(portal: PortalOf, visitor: VisitorOf, form: FormOf, project_id: str) -> Response:
    """Activates, suspends or closes a project."""
    with portal.writing() as db:
        row = projects.set_project_state(
            db, project_id, form.text("state"), reason=form.text("reason"), actor=visitor.id
        )
    return go(portal, visitor, "manage-projects", f"{row.title} is {row.state}.")


@router.get("/running")
def running(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """The sessions running now, with what each has mounted."""
    check_duty(portal, visitor, "administer", "audit")
    with portal.reading() as db:
        rows = [(row, sessions_view.mounts_of(row)) for row in sessions_view.running(db)]
        return page(request, "running.html", title="Running sessions", rows=rows)


@router.post("/running/{session_id}/stop")
def stop(portal: PortalOf, visitor: VisitorOf, form: FormOf, session_id: str) -> Response:
    """Cuts a session at the gateway, now, and has the hub remove it."""
    end_session(portal, visitor, session_id, form.text("reason"))
    return go(portal, visitor, "running", "The session was cut. Its container is being removed.")


def end_session(portal: Portal, visitor: Visitor, session_id: str, reason: str) -> None:
    """Ends anybody's session; for admins. The cut at the gateway comes first, as it acts within milliseconds."""
    check_duty(portal, visitor, "administer")
    with portal.writing() as db:
        row = db.get(SessionRecord, session_id)
        if row is None or row.state not in sessions_view.ALIVE:
            raise NotFound("That session is not running any more.")
        if not reason.strip():
            raise Invalid("A reason is needed: the researcher reads it, and the log keeps it.")
        audit.record(
            db,
            Act.SessionCut,
            actor=visitor.id,
            subject=f"session:{session_id}",
            details={"person": row.person_id, "project": row.project_id, "reason": reason},
        )
        row.reason = f"An admin ended it: {reason}"
        person, project = row.person_id, row.project_id
    GatewayControl(portal.settings.run / "gateway.sock").cut(session_id, f"An admin ended this session: {reason}")
    portal.hub.stop(person, project)
