"""Requests for access and agreements: ask, answer, sign, renew, withdraw."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from access_control import access_requests, agreements, clock, renewals
from access_control.errors import Invalid, NotFound
from access_control.models import Agreement, Dataset, Organisation, Project, Rendition
from access_control.terms import label
from hub.portal.agreement_terms import may_amend, terms_of
from hub.portal.context import Form, FormOf, Portal, PortalOf, Visitor, VisitorOf
from hub.portal.going import go
from hub.portal.numbers import Number
from hub.portal.rendering import page

router = APIRouter(prefix="/access")


def visible_agreements(db: Session, visitor: Visitor) -> list[Agreement]:
    """The agreements that concern the visitor: of their projects, their owners, or all for admins and auditors."""
    query = select(Agreement).order_by(Agreement.id.desc())
    if not visitor.has("admin", "auditor"):
        owners = visitor.domains("steward", "lead-steward")
        rows = [row for row in db.scalars(query) if set(row.parties) & set(owners)]
        mine = db.scalars(query.where(or_(Agreement.project_id.in_(visitor.domains("researcher", "lead")))))
        return sorted({row.id: row for row in [*rows, *mine]}.values(), key=lambda row: row.id, reverse=True)
    return list(db.scalars(query))


def visible_agreement(db: Session, visitor: Visitor, agreement_id: str) -> Agreement:
    """One of them; raises NotFound for any other."""
    for row in visible_agreements(db, visitor):
        if row.id == agreement_id:
            return row
    raise NotFound(f"There is no agreement {agreement_id} that concerns you.")


@router.get("")
def overview(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """What the visitor asked for, what waits for their answer, and the agreements that concern them."""
    with portal.reading() as db:
        rows = visible_agreements(db, visitor)
        return page(
            request,
            "access.html",
            title="Access and agreements",
            waiting=access_requests.waiting_for(db, visitor.id),
            accepting=access_requests.awaiting_acceptance(db, visitor.id),
            mine=access_requests.requests_of(db, visitor.id),
            may_draft=visitor.has("admin", "steward", "lead-steward", "lead"),
            agreements=rows,
            label=label,
        )


@router.get("/requests/{request_id}")
def one_request(request: Request, portal: PortalOf, visitor: VisitorOf, request_id: Number) -> Response:
    """A request as the steward who answers it sees it."""
    with portal.reading() as db:
        waiting = [row for row in access_requests.waiting_for(db, visitor.id) if row.id == request_id]
        if not waiting:
            raise NotFound("No such request waits for your answer. It may have been answered already.")
        asked = waiting[0]
        rendition = db.get(Rendition, asked.rendition_id)
        return page(
            request,
            "access_request.html",
            title=f"Access to {asked.rendition_id}",
            asked=asked,
            rendition=rendition,
            dataset=db.get(Dataset, rendition.dataset_id) if rendition else None,
            project=db.get(Project, asked.project_id),
            label=label,
        )


@router.post("/requests/{request_id}/{answer}")
def answer_request(portal: PortalOf, visitor: VisitorOf, form: FormOf, request_id: Number, answer: str) -> Response:
    """Grants, accepts, refuses or takes back a request."""
    return go(portal, visitor, "access", answer_access(portal, visitor.id, request_id, answer, form))


def answer_access(portal: Portal, actor: str, request_id: int, answer: str, form: Form) -> str:
    """Does what was answered and says so; raises Invalid for an answer that there isn't."""
    with portal.writing() as db:
        match answer:
            case "grant":
                until = form.day("until") if form.text("until", "") else None
                made = access_requests.grant_access(
                    db,
                    request_id,
                    actor=actor,
                    until=until,
                    regions=form.words("regions") or None,
                    required_trainings=form.words("trainings") or None,
                    reviewers=form.whole("reviewers") if form.text("reviewers", "") else 1,
                    conditions=form.text("conditions", ""),
                )
                return f"Granted: {made.id} is {made.state}."
            case "accept":
                made = access_requests.accept_access(db, request_id, actor=actor)
                return f"Accepted: {made.id} is {made.state}."
            case "refuse":
                access_requests.refuse_access(db, request_id, reason=form.text("reason"), actor=actor)
                return "Refused. The researcher sees your reason."
            case "take-back":
                access_requests.take_back(db, request_id, actor=actor)
                return "Taken back."
    raise Invalid(f"{answer!r} is no answer to a request for access.")


@router.get("/agreements/{agreement_id}")
def agreement(request: Request, portal: PortalOf, visitor: VisitorOf, agreement_id: str) -> Response:
    """One agreement: its text, who has signed it, and what can be done with it."""
    with portal.reading() as db:
        row = visible_agreement(db, visitor, agreement_id)
        return page(
            request,
            "agreement.html",
            title=row.id,
            agreement=row,
            text=agreements.agreement_text(row),
            digest=agreements.agreement_digest(row),
            signed=agreements.signed_by(db, row),
            signable=agreements.signable_by(db, row, visitor.id),
            titles={each.id: each.title for each in db.scalars(select(Organisation))},
            label=label,
            today=clock.today(),
            may_amend=may_amend(visitor, row),
        )


@router.post("/agreements/{agreement_id}/{act}")
def change_agreement(portal: PortalOf, visitor: VisitorOf, form: FormOf, agreement_id: str, act: str) -> Response:
    """Amends, signs, suspends, resumes, withdraws or renews an agreement."""
    row = change_one_agreement(portal, visitor.id, agreement_id, act, form)
    return go(portal, visitor, f"access/agreements/{row.id}", f"{row.id} is {row.state}.")


def change_one_agreement(portal: Portal, actor: str, agreement_id: str, act: str, form: Form) -> Agreement:
    """Does it and returns the agreement, for a renewal the new one; raises Invalid for an act that there isn't."""
    with portal.writing() as db:
        match act:
            case "sign":
                return agreements.sign_agreement(
                    db, agreement_id, party=form.text("party"), actor=actor, digest=form.text("digest")
                )
            case "suspend":
                return agreements.suspend_agreement(db, agreement_id, reason=form.text("reason"), actor=actor)
            case "resume":
                return agreements.resume_agreement(db, agreement_id, reason=form.text("reason"), actor=actor)
            case "withdraw":
                return agreements.withdraw_agreement(db, agreement_id, reason=form.text("reason"), actor=actor)
            case "amend":
                return agreements.amend_agreement(db, agreement_id, actor=actor, **terms_of(form))
            case "renew":
                return renewals.renew_agreement(db, agreement_id, until=form.day("until"), actor=actor)
    raise Invalid(f"{act!r} cannot be done with an agreement.")
