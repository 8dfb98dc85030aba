"""Bringing code, models and reference files in, by the same queue; data comes in as a dataset, never here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from egress_review import imports, requests
from egress_review.states import MEANINGS
from hub.portal.context import FormOf, PortalOf, VisitorOf
from hub.portal.going import go
from hub.portal.rendering import page

router = APIRouter(prefix="/imports")
CHUNK = 1024 * 1024


@router.get("")
def mine(request: Request, portal: PortalOf, visitor: VisitorOf, project: str = "") -> Response:
    """The visitor's imports, and the form for a new one."""
    with portal.reading() as db:
        rows = [row for row in requests.requests_of(db, visitor.id) if row.direction == "in"]
    projects = [(name, name) for name in visitor.domains("researcher", "lead")]
    return page(
        request, "imports.html", title="Imports", rows=rows, projects=projects, project=project, MEANINGS=MEANINGS
    )


@router.post("")
def create(portal: PortalOf, visitor: VisitorOf, form: FormOf) -> Response:
    """Makes a draft, to which files are then uploaded."""
    with portal.writing() as db:
        row = requests.create_draft(
            db,
            portal.settings,
            project_id=form.text("project"),
            title=form.text("title"),
            purpose=form.text("purpose"),
            actor=visitor.id,
            direction="in",
        )
    return go(portal, visitor, f"releases/{row.id}", "Now upload what is to come in, then submit it.")


def plain_name(given: str | None) -> str:
    """The last part of the name that a browser gives, without any folders."""
    return (given or "").replace("\\", "/").rsplit("/", 1)[-1]


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of an upload, a mebibyte at a time."""
    while chunk := file.read(CHUNK):
        yield chunk


@router.post("/{request_id}/upload")
def upload(portal: PortalOf, visitor: VisitorOf, form: FormOf, request_id: str) -> Response:
    """Takes one file into the holding store."""
    name = plain_name(form.file.filename)
    with portal.writing() as db:
        imports.upload(
            db,
            portal.settings,
            request_id,
            name,
            chunks_of(form.file.file),
            context=form.text("context"),
            actor=visitor.id,
        )
    return go(portal, visitor, f"releases/{quote(request_id)}", f"{name} was uploaded.")


@router.post("/{request_id}/place")
def place(portal: PortalOf, visitor: VisitorOf, form: FormOf, request_id: str) -> Response:
    """Writes an approved import into the author's workspace."""
    placed = imports.place(portal.engine, portal.settings, form.text("release"), actor=visitor.id)
    said = f"In your workspace now: {', '.join(placed)}."
    return go(portal, visitor, f"releases/{quote(request_id)}", said)
