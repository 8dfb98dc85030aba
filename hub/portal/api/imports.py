"""Imports: what comes in goes through the same requests; only the upload and the placing are its own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, UploadFile

from egress_review import imports, requests
from hub.portal.api.releases import one
from hub.portal.api.releases_shapes import NewImport, RequestViewShape
from hub.portal.api.shapes import Said
from hub.portal.context import CallerOf, PortalOf
from hub.portal.pages.imports import chunks_of, plain_name

router = APIRouter(prefix="/imports", tags=["imports"])


@router.post("", status_code=201)
def create(portal: PortalOf, caller: CallerOf, body: NewImport) -> RequestViewShape:
    """Makes a draft, to which files are uploaded before it is submitted as a release request is."""
    with portal.writing() as db:
        row = requests.create_draft(
            db,
            portal.settings,
            project_id=body.project,
            title=body.title,
            purpose=body.purpose,
            actor=caller.id,
            direction="in",
        )
    return one(portal, caller, row.id)


@router.post("/{request_id}/upload", status_code=201)
def upload(
    portal: PortalOf, caller: CallerOf, request_id: str, file: UploadFile, context: Annotated[str, Form()]
) -> Said:
    """Takes one file into the holding store."""
    name = plain_name(file.filename)
    with portal.writing() as db:
        imports.upload(db, portal.settings, request_id, name, chunks_of(file.file), context=context, actor=caller.id)
    return Said(said=f"{name} was uploaded.")


@router.post("/releases/{release_id}/place")
def place(portal: PortalOf, caller: CallerOf, release_id: str) -> list[str]:
    """Writes an approved import into the caller's workspace; returns the paths."""
    return imports.place(portal.engine, portal.settings, release_id, actor=caller.id)
