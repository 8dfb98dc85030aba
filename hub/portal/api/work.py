"""Projects, sessions and the catalogue."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select

from access_control import catalogue, clock
from access_control.errors import NotFound
from access_control.models import Project
from access_control.why import explain
from hub.portal import intended, sessions_view
from hub.portal.api.shapes import Said
from hub.portal.api.work_shapes import MountShape, ProjectDetails, ProjectShape, RefusalShape, SessionShape
from hub.portal.context import CallerOf, Portal, PortalOf, Visitor
from hub.portal.pages.projects import members_only
from hub.portal.pages.sessions import start_session

router = APIRouter(tags=["projects"])


def session_of(portal: Portal, caller: Visitor, project_id: str) -> SessionShape:
    """The caller's session in a project."""
    server = portal.hub.servers(caller.id).get(project_id)
    with portal.reading() as db:
        shown = sessions_view.view(sessions_view.latest(db, caller.id, project_id), server)
    record = shown.record if shown.state != "ended" else None
    return SessionShape(
        state=shown.state,
        id=record.id if record else None,
        started_at=record.started_at if record else None,
        mounts=[MountShape.model_validate(mount) for mount in shown.mounts],
        ended_because=shown.ended_because,
    )


@router.get("/projects", response_model=list[ProjectShape])
def projects(portal: PortalOf, caller: CallerOf) -> Any:
    """The caller's projects."""
    with portal.reading() as db:
        return list(db.scalars(select(Project).where(Project.id.in_(caller.domains("researcher", "lead")))))


@router.get("/projects/{project_id}")
def project(portal: PortalOf, caller: CallerOf, project_id: str) -> ProjectDetails:
    """One project with its session, what is mounted in it and why, and what isn't and why not."""
    members_only(portal, caller, project_id)
    today, snapshot = clock.today(), portal.snapshot()
    with portal.reading() as db:
        row = db.get(Project, project_id)
        if row is None:
            raise NotFound(f"You have no project {project_id}.")
        shape = ProjectShape.model_validate(row)
    return ProjectDetails(
        project=shape,
        session=session_of(portal, caller, project_id),
        mounts=[MountShape.model_validate(each) for each in snapshot.mounts(caller.id, project_id, today)],
        refusals=[RefusalShape.model_validate(each) for each in snapshot.refusals(caller.id, project_id, today)],
    )


@router.get("/projects/{project_id}/intended")
def intended_of(portal: PortalOf, caller: CallerOf, project_id: str) -> list[str]:
    """The outputs that the project intends to release."""
    members_only(portal, caller, project_id)
    with portal.reading() as db:
        return [each.text for each in intended.intended_outputs(db, project_id)]


@router.post("/projects/{project_id}/session", status_code=202)
def start(portal: PortalOf, caller: CallerOf, project_id: str) -> Said:
    """Starts the caller's session; ask for the project to follow it."""
    members_only(portal, caller, project_id)
    start_session(portal, caller, project_id)
    return Said(said="The session is starting.")


@router.delete("/projects/{project_id}/session")
def stop(portal: PortalOf, caller: CallerOf, project_id: str) -> Said:
    """Stops the caller's session; the workspace stays."""
    members_only(portal, caller, project_id)
    portal.hub.stop(caller.id, project_id)
    return Said(said="The session was stopped.")


@router.get("/projects/{project_id}/why")
def why(portal: PortalOf, caller: CallerOf, project_id: str, data: str) -> list[str]:
    """Why the caller sees some data in this project, or why not, in sentences."""
    members_only(portal, caller, project_id)
    return explain(portal.snapshot(), caller.id, project_id, data, clock.today())


@router.get("/catalogue", tags=["catalogue"])
def datasets(portal: PortalOf, caller: CallerOf) -> list[dict[str, Any]]:  # noqa: ARG001 - a login is needed
    """Every dataset with its dictionary and renditions; never a value of the data."""
    with portal.reading() as db:
        return [asdict(entry) for entry in catalogue.list_datasets(db)]


@router.get("/catalogue/{dataset_id}", tags=["catalogue"])
def dataset(portal: PortalOf, caller: CallerOf, dataset_id: str) -> dict[str, Any]:  # noqa: ARG001
    """One dataset."""
    with portal.reading() as db:
        return asdict(catalogue.describe(db, dataset_id))
