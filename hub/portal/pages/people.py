"""People and tiers: what each may see today, and grants that one admin proposes and another approves."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from access_control import clock, grants, people
from access_control.errors import Invalid, NotFound, NotPermitted
from access_control.models import FOREVER, Clearance, Organisation, Person, Role, Training
from hub.portal.context import Form, FormOf, Portal, PortalOf, Visitor, VisitorOf
from hub.portal.going import go
from hub.portal.numbers import Number
from hub.portal.rendering import page

router = APIRouter(prefix="/people")


def check_duty(portal: Portal, visitor: Visitor, *duties: str) -> None:
    """Raises NotPermitted unless the policy lets the visitor do one of these duties (`administer`, `audit`) today."""
    snapshot = portal.snapshot()
    decisions = [snapshot.may(visitor.id, duty, clock.today()) for duty in duties]
    if not any(decision.allowed for decision in decisions):
        raise NotPermitted(f"This page is for {' and '.join(_HOLDERS[duty] for duty in duties)}. {decisions[0].reason}")


_HOLDERS = {"administer": "admins", "audit": "auditors"}


def facts_of(db: Session, person: Person, today: date) -> dict[str, Any]:
    """A person with what holds today."""
    clearances = list(db.scalars(select(Clearance).where(Clearance.person_id == person.id).order_by(Clearance.start)))
    return {
        "person": person,
        "clearance": next((row.level for row in clearances if row.start <= today <= row.until), 0),
        "clearances": clearances,
        "trainings": list(db.scalars(select(Training).where(Training.person_id == person.id).order_by(Training.until))),
        "roles": list(db.scalars(select(Role).where(Role.person_id == person.id, Role.until >= today))),
    }


@router.get("")
def everyone(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """Everyone with tier, trainings and roles; and the proposals that wait for a second admin."""
    check_duty(portal, visitor, "administer", "audit")
    today = clock.today()
    with portal.reading() as db:
        proposals = grants.open_proposals(db)
        return page(
            request,
            "people.html",
            title="People and tiers",
            people=[facts_of(db, row, today) for row in db.scalars(select(Person).order_by(Person.id))],
            organisations=[(row.id, row.title) for row in db.scalars(select(Organisation).order_by(Organisation.id))],
            proposals=[(row, grants.may_approve_grant(db, row, visitor.id)) for row in proposals],
            today=today,
        )


@router.get("/{person_id}")
def person(request: Request, portal: PortalOf, visitor: VisitorOf, person_id: str) -> Response:
    """One person, with the forms to propose and to take away."""
    check_duty(portal, visitor, "administer", "audit")
    today = clock.today()
    with portal.reading() as db:
        row = db.get(Person, person_id)
        if row is None:
            raise NotFound(f"There is no person {person_id}. “People and tiers” lists those that there are.")
        return page(
            request,
            "person.html",
            title=row.name,
            **facts_of(db, row, today),
            open=[each for each in grants.open_proposals(db) if each.person_id == person_id],
            today=today,
            next_year=date(today.year + 1, 12, 31),
            forever=FOREVER,
        )


@router.post("")
def add(portal: PortalOf, visitor: VisitorOf, form: FormOf) -> Response:
    """Enrols a person, or adds an organisation."""
    with portal.writing() as db:
        if form.text("kind", "person") == "organisation":
            made = people.add_organisation(
                db, id=form.text("id"), title=form.text("title"), region=form.text("region"), actor=visitor.id
            )
            return go(portal, visitor, "people", f"{made.title} was added.")
        row = people.add_person(
            db,
            id=form.text("id"),
            name=form.text("name"),
            email=form.text("email"),
            affiliation=form.text("affiliation"),
            region=form.text("region"),
            actor=visitor.id,
        )
    return go(portal, visitor, f"people/{row.id}", f"{row.name} was enrolled. They have no clearance and no role yet.")


@router.post("/proposals/{proposal_id}/{answer}")
def decide(portal: PortalOf, visitor: VisitorOf, form: FormOf, proposal_id: Number, answer: str) -> Response:
    """The second admin's answer to a proposal."""
    said = decide_grant(portal, visitor.id, proposal_id, answer, form.text("reason", ""))
    return go(portal, visitor, "people", said)


def decide_grant(portal: Portal, actor: str, proposal_id: int, answer: str, reason: str) -> str:
    """Approves or refuses a proposed grant and says what happened."""
    with portal.writing() as db:
        if answer == "approve":
            grants.approve_grant(db, proposal_id, actor=actor)
            return "Approved, and in force."
        if answer == "refuse":
            grants.refuse_grant(db, proposal_id, reason=reason, actor=actor)
            return "Refused. Nothing was changed."
    raise Invalid(f"{answer!r} is no answer to a proposal.")


@router.post("/{person_id}/{act}")
def change(portal: PortalOf, visitor: VisitorOf, form: FormOf, person_id: str, act: str) -> Response:
    """Proposes a grant, or takes something away at once."""
    return go(portal, visitor, f"people/{person_id}", change_person(portal, visitor.id, person_id, act, form))


def change_person(portal: Portal, actor: str, person_id: str, act: str, form: Form) -> str:
    """Does it and says what happened; raises Invalid for an act that there isn't."""
    with portal.writing() as db:
        match act:
            case "propose-clearance":
                grants.propose_clearance(
                    db, person_id, level=form.whole("level"), start=form.day("start"), until=form.day("until"),
                    source=form.text("source"), actor=actor, replace=True,
                )  # fmt: skip
                return "Proposed. It holds once another admin has approved it."
            case "propose-role":
                grants.propose_role(
                    db, person_id, role=form.text("role"), domain=form.text("domain"), start=form.day("start"),
                    until=form.day("until"), source=form.text("source"), actor=actor,
                )  # fmt: skip
                return "Proposed. It holds once another admin has approved it."
            case "lower-clearance":
                people.lower_clearance(
                    db, person_id, level=form.whole("level"), reason=form.text("reason"), actor=actor
                )
                return "Lowered at once. Sessions that no longer hold are being stopped."
            case "remove-role":
                people.remove_role(
                    db, person_id, role=form.text("role"), domain=form.text("domain"), reason=form.text("reason"),
                    actor=actor,
                )  # fmt: skip
                return "Ended at once."
            case "record-training":
                people.record_training(
                    db, person_id, course=form.text("course"), start=form.day("start"), until=form.day("until"),
                    source=form.text("source"), actor=actor,
                )  # fmt: skip
                return "Recorded."
            case "suspend":
                people.suspend_person(db, person_id, reason=form.text("reason"), actor=actor)
                return "Suspended. Their sessions are being stopped and their logins end."
            case "propose-reinstatement":
                grants.propose_reinstatement(db, person_id, reason=form.text("reason"), actor=actor)
                return "Proposed. It holds once another admin has approved it."
    raise Invalid(f"{act!r} cannot be done with a person.")
