"""Agreements while they are written: the form that drafts one, and amends one that isn't active yet."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from access_control import access_requests, agreements, clock
from access_control.errors import Invalid, NotPermitted
from access_control.models import Agreement, Organisation, Project, Rendition
from access_control.terms import TERMS
from hub.portal.agreement_terms import WRITABLE, may_amend, terms_of
from hub.portal.context import Form, FormOf, InvalidField, Portal, PortalOf, Visitor, VisitorOf
from hub.portal.going import go
from hub.portal.pages.access import visible_agreement, visible_agreements
from hub.portal.rendering import page

router = APIRouter(prefix="/access/agreements")


def may_write(visitor: Visitor) -> bool:
    """Whether the form is offered; the service decides on what is sent."""
    return visitor.has("admin", "steward", "lead-steward", "lead")


def projects_known(db: Session, visitor: Visitor) -> list[str]:
    """The projects that the form offers: all for admins, else those that the visitor leads or has to do with."""
    if visitor.has("admin"):
        return list(db.scalars(select(Project.id).where(Project.state != "closed").order_by(Project.id)))
    found = set(visitor.domains("lead")) | {row.project_id for row in visible_agreements(db, visitor)}
    return sorted(found | {row.project_id for row in access_requests.waiting_for(db, visitor.id)})


def show_form(request: Request, db: Session, visitor: Visitor, *, title: str, values: dict[str, Any]) -> Response:
    """The form, filled with `values`."""
    return page(
        request,
        "agreement_form.html",
        title=title,
        values=values,
        projects=projects_known(db, visitor),
        organisations=list(db.scalars(select(Organisation).order_by(Organisation.title))),
        renditions=list(db.scalars(select(Rendition).order_by(Rendition.id))),
        terms=list(TERMS.values()),
    )


@router.get("/new")
def new(request: Request, portal: PortalOf, visitor: VisitorOf, project: str = "") -> Response:
    """The form of a new agreement."""
    if not may_write(visitor):
        raise NotPermitted("Agreements are drafted by data stewards, by leads of projects and by admins.")
    today = clock.today()
    values = {
        "id": "", "title": "", "project_id": project, "parties": [], "renditions": [], "purposes": [], "regions": [],
        "required_trainings": [], "reviewers": 1, "conditions": "", "start": today,
        "until": date(today.year + 1, 12, 31),
    }  # fmt: skip
    with portal.reading() as db:
        return show_form(request, db, visitor, title="Draft an agreement", values=values)


@router.post("")
def draft(portal: PortalOf, visitor: VisitorOf, form: FormOf) -> Response:
    """Keeps the draft, which its parties then sign."""
    row = draft_one(portal, visitor.id, form)
    return go(
        portal, visitor, f"access/agreements/{row.id}", f"{row.id} is drafted. Each party now reads and signs it."
    )


def draft_one(portal: Portal, actor: str, form: Form) -> Agreement:
    """Drafts it; raises Invalid naming the first thing that is missing."""
    terms = terms_of(form)
    for name in ("title", "start", "until"):
        if name not in terms:
            raise InvalidField(f"“{name}” is empty. Fill it in.", name)
    given = {"parties": [], "renditions": [], "purposes": [], "regions": []} | terms
    with portal.writing() as db:
        return agreements.draft_agreement(db, project=form.text("project"), actor=actor, **given)


@router.get("/{agreement_id}/amend")
def amend(request: Request, portal: PortalOf, visitor: VisitorOf, agreement_id: str) -> Response:
    """The form with what the agreement says now."""
    with portal.reading() as db:
        row = visible_agreement(db, visitor, agreement_id)
        if row.state not in WRITABLE:
            raise Invalid(
                f"{row.id} is {row.state}: its text stands. Draft a new one, and withdraw this one after that."
            )
        if not may_amend(visitor, row):
            raise NotPermitted(
                f"You may not amend {row.id}. A steward of its parties, the project's lead or an admin can."
            )
        names = ("id", "title", "project_id", "parties", "renditions", "purposes", "regions", "required_trainings",
                 "reviewers", "conditions", "start", "until")  # fmt: skip
        values = {name: getattr(row, name) for name in names}
        return show_form(request, db, visitor, title=f"Amend {row.id}", values=values)
