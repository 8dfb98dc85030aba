"""The catalogue: what there is, who owns it and how to ask for it; never a value of the data."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import JSONResponse, Response

from access_control import access_requests, catalogue, clock
from access_control.models import Project
from access_control.terms import label
from hub.portal.context import FormOf, PortalOf, VisitorOf
from hub.portal.going import go
from hub.portal.rendering import page

router = APIRouter(prefix="/catalogue")


@router.get("")
def datasets(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:  # noqa: ARG001 - a login is needed
    """Every dataset."""
    with portal.reading() as db:
        return page(request, "catalogue.html", title="Catalogue", entries=catalogue.list_datasets(db))


@router.get(".jsonld")
def as_dcat(portal: PortalOf, visitor: VisitorOf) -> Response:  # noqa: ARG001
    """The catalogue as DCAT 3."""
    base = f"{portal.settings.web.origin}{portal.prefix}catalogue"
    with portal.reading() as db:
        return JSONResponse(catalogue.dcat(db, base), media_type="application/ld+json")


@router.get("/{dataset_id}")
def dataset(request: Request, portal: PortalOf, visitor: VisitorOf, dataset_id: str) -> Response:
    """One dataset with its dictionary and renditions, and a form to ask for one."""
    mine = visitor.domains("researcher", "lead")
    with portal.reading() as db:
        entry = catalogue.describe(db, dataset_id)
        projects = list(
            db.scalars(select(Project).where(Project.id.in_(mine), Project.state != "closed").order_by(Project.title))
        )
        purposes = sorted({term for row in projects for term in row.purposes})
        choices = [(row.id, f"{row.title} ({row.id})") for row in projects]
    return page(
        request,
        "dataset.html",
        title=entry.title,
        entry=entry,
        permitted=[label(term) for term in entry.permitted_use],
        projects=choices,
        terms=[(term, label(term)) for term in purposes],
        until=clock.today() + timedelta(days=365),
    )


@router.post("/{dataset_id}/ask")
def ask(portal: PortalOf, visitor: VisitorOf, form: FormOf, dataset_id: str) -> Response:  # noqa: ARG001
    """Asks the owner's stewards for a rendition."""
    with portal.writing() as db:
        answer = access_requests.ask_access(
            db,
            project=form.text("project"),
            rendition=form.text("rendition"),
            purpose=form.text("purpose"),
            until=form.day("until"),
            actor=visitor.id,
        )
    return go(portal, visitor, "access", answer.sentence)
