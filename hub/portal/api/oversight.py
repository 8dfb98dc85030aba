"""For stewards, admins and auditors: people, policy, running sessions, the log, and who had access."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from sqlalchemy import func, select

from access_control import clock, history, policy_changes
from access_control.audit import AuditEntry
from access_control.errors import NotFound
from access_control.models import Dataset, Person
from access_control.transparency import verify_enclave
from access_control.why import explain
from hub.portal import sessions_view
from hub.portal.api.access import as_form
from hub.portal.api.access_shapes import Act
from hub.portal.api.oversight_shapes import (
    AccessShape,
    ChangeText,
    CouldShape,
    PersonShape,
    PreviewOfChange,
    RunningShape,
    VerificationShape,
)
from hub.portal.api.shapes import Reason, Said
from hub.portal.context import CallerOf, PortalOf
from hub.portal.numbers import Number
from hub.portal.pages.audit import check_may_see_accesses, moment_of, read_log
from hub.portal.pages.managing import end_session
from hub.portal.pages.people import change_person, check_duty, decide_grant, facts_of
from hub.portal.pages.policy import decide_proposal

router = APIRouter(tags=["oversight"])


@router.get("/people")
def people(portal: PortalOf, caller: CallerOf) -> list[PersonShape]:
    """Everyone, with tier and roles today."""
    check_duty(portal, caller, "administer", "audit")
    shapes = []
    with portal.reading() as db:
        for row in db.scalars(select(Person).order_by(Person.id)):
            facts = facts_of(db, row, clock.today())
            shapes.append(
                PersonShape(
                    id=row.id,
                    name=row.name,
                    affiliation=row.affiliation,
                    region=row.region,
                    suspended=row.suspended,
                    clearance=facts["clearance"],
                    roles=[[role.role, role.domain] for role in facts["roles"]],
                )
            )
    return shapes


@router.post("/people/{person_id}/{act}")
def change(
    portal: PortalOf,
    caller: CallerOf,
    person_id: str,
    act: Literal[
        "propose-clearance",
        "propose-role",
        "propose-reinstatement",
        "lower-clearance",
        "remove-role",
        "record-training",
        "suspend",
    ],
    body: Act,
) -> Said:
    """Proposes a grant for a second admin, or takes something away at once; fields as in the portal's form."""
    return Said(said=change_person(portal, caller.id, person_id, act, as_form(body)))


@router.post("/grants/{proposal_id}/{answer}")
def decide(
    portal: PortalOf, caller: CallerOf, proposal_id: Number, answer: Literal["approve", "refuse"], body: Reason
) -> Said:
    """The second admin's answer to a proposed clearance or role."""
    return Said(said=decide_grant(portal, caller.id, proposal_id, answer, body.reason))


@router.post("/policy/preview", response_model=PreviewOfChange)
def preview(portal: PortalOf, caller: CallerOf, body: ChangeText) -> Any:
    """Who would gain and lose what, and which sessions would stop; nothing is kept."""
    check_duty(portal, caller, "administer")
    add, remove = policy_changes.read_changes(body.changes)
    with portal.reading() as db:
        return policy_changes.preview_policy(db, portal.settings.data_root, add=add, remove=remove)


@router.post("/policy/proposals", status_code=201)
def propose(portal: PortalOf, caller: CallerOf, body: ChangeText) -> Said:
    """Keeps a change for a second admin."""
    add, remove = policy_changes.read_changes(body.changes)
    with portal.writing() as db:
        row = policy_changes.propose_policy(db, add=add, remove=remove, reason=body.reason, actor=caller.id)
    return Said(said=f"Proposal {row.id} waits for a second admin.")


@router.post("/policy/proposals/{proposal_id}/{answer}")
def decide_policy(
    portal: PortalOf, caller: CallerOf, proposal_id: Number, answer: Literal["approve", "refuse"], body: Reason
) -> Said:
    """Puts a change in force, or refuses it."""
    return Said(said=decide_proposal(portal, caller.id, proposal_id, answer, body.reason))


@router.get("/running", response_model=list[RunningShape])
def running(portal: PortalOf, caller: CallerOf) -> Any:
    """The sessions running now, with what each has mounted."""
    check_duty(portal, caller, "administer", "audit")
    with portal.reading() as db:
        return sessions_view.running(db)


@router.delete("/running/{session_id}")
def end(portal: PortalOf, caller: CallerOf, session_id: str, reason: str) -> Said:
    """Ends anybody's session, at once."""
    end_session(portal, caller, session_id, reason)
    return Said(said="The session was cut.")


@router.get("/audit")
def log(
    portal: PortalOf, caller: CallerOf, *, before: Number | None = None, act: str = "", words: str = ""
) -> dict[str, Any]:
    """Up to 100 entries, the newest first."""
    check_duty(portal, caller, "audit", "administer")
    with portal.reading() as db:
        total = db.scalar(select(func.count()).select_from(AuditEntry))
        return {"total": total, "entries": read_log(db, before=before, act=act, words=words)}


@router.get("/audit/verification", response_model=VerificationShape)
def verification(portal: PortalOf, caller: CallerOf) -> Any:
    """Verifies the whole log now."""
    check_duty(portal, caller, "audit", "administer")
    return verify_enclave(portal.engine, portal.settings)


@router.get("/datasets/{dataset_id}/accesses", response_model=list[AccessShape])
def accesses(portal: PortalOf, caller: CallerOf, dataset_id: str) -> Any:
    """Every session that had a dataset mounted."""
    with portal.reading() as db:
        row = db.get(Dataset, dataset_id)
        if row is None:
            raise NotFound(f"There is no dataset {dataset_id}.")
        check_may_see_accesses(portal, caller, row)
        return history.accesses(db, dataset_id)


@router.get("/datasets/{dataset_id}/who-could", response_model=list[CouldShape])
def who_could(portal: PortalOf, caller: CallerOf, dataset_id: str, at: str) -> Any:
    """Who could have mounted a dataset at a moment (UTC)."""
    with portal.reading() as db:
        row = db.get(Dataset, dataset_id)
        if row is None:
            raise NotFound(f"There is no dataset {dataset_id}.")
        check_may_see_accesses(portal, caller, row)
        return history.who_could(db, dataset_id, moment_of(at), data_root=portal.settings.data_root)


@router.get("/why")
def why(portal: PortalOf, caller: CallerOf, person: str, project: str, data: str) -> list[str]:
    """Why a person sees some data in a project, or why not, in sentences."""
    check_duty(portal, caller, "administer", "audit")
    return explain(portal.snapshot(), person, project, data, clock.today())
