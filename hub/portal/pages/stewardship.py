"""For data stewards: their data with its reports, withdrawal, and the incidents of sessions that passed a budget."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from access_control import audit, clock, policy_changes
from access_control.audit import Act
from access_control.errors import Invalid, NotFound, NotPermitted
from access_control.models import Dataset, PolicyRow, Rendition, RenditionVersion, SessionRecord
from hub.gateway.control import GatewayControl
from hub.gateway.models import Incident
from hub.portal.context import FormOf, Portal, PortalOf, Visitor, VisitorOf
from hub.portal.going import go
from hub.portal.numbers import Number
from hub.portal.rendering import page
from hub.portal.sessions_view import ALIVE

router = APIRouter()


def owners_of(visitor: Visitor) -> list[str]:
    """The owners whose steward the visitor is; raises NotPermitted when there is none."""
    owners = visitor.domains("steward", "lead-steward")
    if not owners:
        raise NotPermitted("This page is for data stewards. The admins can tell you who they are.")
    return owners


@router.get("/data")
def my_data(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """The datasets of the steward's owners, their renditions with quality and uniqueness, and withdrawals in force."""
    owners = owners_of(visitor)
    with portal.reading() as db:
        datasets = list(db.scalars(select(Dataset).where(Dataset.owner_id.in_(owners)).order_by(Dataset.id)))
        withdrawals = list(db.scalars(select(PolicyRow).where(PolicyRow.eft == "deny")))
        shown = [
            {
                "dataset": row,
                "renditions": [
                    (rendition, _versions(db, rendition.id))
                    for rendition in db.scalars(
                        select(Rendition).where(Rendition.dataset_id == row.id).order_by(Rendition.id)
                    )
                ],
                "withdrawals": [each for each in withdrawals if each.data in (row.id, f"data:{row.id}")],
            }
            for row in datasets
        ]
        return page(request, "my_data.html", title="My data", shown=shown)


def _versions(db: Session, rendition_id: str) -> list[RenditionVersion]:
    return list(
        db.scalars(
            select(RenditionVersion)
            .where(RenditionVersion.rendition_id == rendition_id)
            .order_by(RenditionVersion.id.desc())
            .limit(10)
        )
    )


@router.post("/data/{dataset_id}/withdraw")
def withdraw(portal: PortalOf, visitor: VisitorOf, form: FormOf, dataset_id: str) -> Response:
    """Takes a dataset away from everybody, at once; one steward is enough, as it only takes away."""
    with portal.writing() as db:
        row = policy_changes.withdraw_dataset(db, dataset_id, reason=form.text("reason"), actor=visitor.id)
    return go(portal, visitor, "data", f"Withdrawn by {row.id}. Sessions that have it mounted are being stopped.")


@router.post("/data/withdrawals/{row_id}/lift")
def lift(portal: PortalOf, visitor: VisitorOf, form: FormOf, row_id: str) -> Response:
    """Proposes to end a withdrawal; a second person approves."""
    with portal.writing() as db:
        policy_changes.lift_withdrawal(db, row_id, reason=form.text("reason"), actor=visitor.id)
    return go(portal, visitor, "data", "Proposed. The withdrawal ends once a second person has approved it.")


def incidents_for(db: Session, portal: Portal, visitor: Visitor) -> list[tuple[Incident, list[str]]]:
    """Incidents of sessions that had data of the visitor's owners mounted, the newest first, with those datasets."""
    snapshot, today = portal.snapshot(), clock.today()
    owner = {row.id: row.owner_id for row in db.scalars(select(Dataset))}
    mine = {each for each in set(owner.values()) if snapshot.may(visitor.id, "steward", today, owner=each).allowed}
    found = []
    for row in db.scalars(select(Incident).order_by(Incident.id.desc()).limit(200)):
        session = db.get(SessionRecord, row.session_id)
        datasets = {str(mount.get("dataset_id")) for mount in session.mounts} if session else set()
        if concerned := sorted(each for each in datasets if owner.get(each) in mine):
            found.append((row, concerned))
    return found


@router.get("/incidents")
def incidents(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """Sessions that passed their budget, with what flowed in sizes, types and paths."""
    owners_of(visitor)
    with portal.reading() as db:
        return page(request, "incidents.html", title="Incidents", incidents=incidents_for(db, portal, visitor))


@router.post("/incidents/{incident_id}/{decision}")
def decide(portal: PortalOf, visitor: VisitorOf, form: FormOf, incident_id: Number, decision: str) -> Response:
    """Lets a paused session go on, or ends it."""
    decide_incident(portal, visitor, incident_id, decision, form.text("reason"))
    return go(
        portal, visitor, "incidents", "The session goes on." if decision == "continue" else "The session was ended."
    )


def decide_incident(portal: Portal, visitor: Visitor, incident_id: int, decision: str, reason: str) -> None:
    """The steward's decision, written to the log and told to the gateway; own sessions and projects are refused."""
    if decision not in ("continue", "end"):
        raise Invalid(f"{decision!r} is no decision; it is continue or end.")
    with portal.writing() as db:
        found = [row for row, _ in incidents_for(db, portal, visitor) if row.id == incident_id]
        if not found:
            raise NotFound("There is no such incident on your owners' data.")
        incident = found[0]
        project = f"project:{incident.project_id}"
        if (
            incident.person_id == visitor.id
            or ("researcher", project) in visitor.roles
            or ("lead", project) in visitor.roles
        ):
            raise NotPermitted("It is your own session or your project's. Another steward has to decide.")
        audit.record(
            db,
            Act.IncidentDecided,
            actor=visitor.id,
            subject=f"session:{incident.session_id}",
            details={"incident": incident_id, "decision": decision, "reason": reason},
        )
        session_id, person, project_id = incident.session_id, incident.person_id, incident.project_id
        row = db.get(SessionRecord, session_id)
        alive = row is not None and row.state in ALIVE
        if row is not None and alive and decision == "end":
            row.reason = f"A data steward ended it after it passed its budget: {reason}"
    control = GatewayControl(portal.settings.run / "gateway.sock")
    control.decide_incident(session_id, go_on=decision == "continue", actor=visitor.id)
    if alive and decision == "end":
        portal.hub.stop(person, project_id)  # the gateway has cut it; its container goes too
