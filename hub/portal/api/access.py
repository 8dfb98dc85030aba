"""Requests for access and agreements."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter

from access_control import access_requests
from access_control import agreements as agreements_service
from hub.portal.api.access_shapes import AccessRequestShape, Act, AgreementShape, Ask, NewAgreement
from hub.portal.api.shapes import Said
from hub.portal.context import CallerOf, Form, PortalOf
from hub.portal.numbers import Number
from hub.portal.pages.access import answer_access, change_one_agreement, visible_agreement, visible_agreements

router = APIRouter(tags=["access"])


def as_form(act: Act) -> Form:
    """The fields of an act as a form has them."""
    return Form([(name, value) for name, values in act.fields.items() for value in _each(values)])


def _each(values: str | list[str]) -> list[str]:
    return [values] if isinstance(values, str) else values


@router.get("/access-requests", response_model=list[AccessRequestShape])
def requests(portal: PortalOf, caller: CallerOf) -> Any:
    """What the caller asked for."""
    with portal.reading() as db:
        return access_requests.requests_of(db, caller.id)


@router.get("/access-requests/waiting", response_model=list[AccessRequestShape])
def waiting(portal: PortalOf, caller: CallerOf) -> Any:
    """What waits for the caller's answer, as a steward."""
    with portal.reading() as db:
        return access_requests.waiting_for(db, caller.id)


@router.post("/access-requests", status_code=201)
def ask(portal: PortalOf, caller: CallerOf, body: Ask) -> Said:
    """Asks the owner's stewards for a rendition."""
    with portal.writing() as db:
        answer = access_requests.ask_access(
            db,
            project=body.project,
            rendition=body.rendition,
            purpose=body.purpose,
            until=body.until,
            actor=caller.id,
        )
    return Said(said=answer.sentence)


@router.post("/access-requests/{request_id}/{answer}")
def answer(
    portal: PortalOf,
    caller: CallerOf,
    request_id: Number,
    answer: Literal["grant", "accept", "refuse", "take-back"],
    body: Act,
) -> Said:
    """Grants (until, regions, trainings, reviewers, conditions), accepts, refuses (reason) or takes back."""
    return Said(said=answer_access(portal, caller.id, request_id, answer, as_form(body)))


@router.get("/agreements", response_model=list[AgreementShape])
def agreements(portal: PortalOf, caller: CallerOf) -> Any:
    """The agreements that concern the caller."""
    with portal.reading() as db:
        return visible_agreements(db, caller)


@router.post("/agreements", status_code=201, response_model=AgreementShape)
def draft(portal: PortalOf, caller: CallerOf, body: NewAgreement) -> Any:
    """Drafts an agreement: a steward of a party, the project's lead, or an admin."""
    with portal.writing() as db:
        return agreements_service.draft_agreement(db, actor=caller.id, **body.model_dump())


@router.get("/agreements/{agreement_id}", response_model=AgreementShape)
def agreement(portal: PortalOf, caller: CallerOf, agreement_id: str) -> Any:
    """One of them."""
    with portal.reading() as db:
        return visible_agreement(db, caller, agreement_id)


@router.post("/agreements/{agreement_id}/{act}", response_model=AgreementShape)
def change(
    portal: PortalOf,
    caller: CallerOf,
    agreement_id: str,
    act: Literal["amend", "sign", "suspend", "resume", "withdraw", "renew"],
    body: Act,
) -> Any:
    """Amends (fields of a draft), signs (party, digest), suspends, resumes, withdraws (reason) or renews (until)."""
    return change_one_agreement(portal, caller.id, agreement_id, act, as_form(body))
