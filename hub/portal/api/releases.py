"""Release requests: drafting, submitting, reviewing, downloading."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from starlette.responses import Response

from access_control.audit import Act as LogAct
from access_control.audit import record
from egress_review import release, requests, reviews
from egress_review.errors import NotFound
from egress_review.states import MEANINGS
from hub.portal import shown as previews
from hub.portal.api.releases_shapes import (
    Link,
    NewComment,
    NewRequest,
    NewVote,
    PickedFile,
    PreviewShape,
    PreviewTableShape,
    QueueShape,
    ReleaseFileShape,
    RequestShape,
    RequestViewShape,
    WorkspaceFileShape,
)
from hub.portal.api.shapes import Reason, Said
from hub.portal.context import CallerOf, PortalOf
from hub.portal.numbers import Number
from hub.portal.pages.projects import members_only
from hub.portal.pages.releases import attachment

router = APIRouter(tags=["release requests"])


@router.get("/projects/{project_id}/workspace", response_model=list[WorkspaceFileShape])
def workspace(portal: PortalOf, caller: CallerOf, project_id: str) -> Any:
    """The files of the caller's workspace, by name; never their content."""
    members_only(portal, caller, project_id)
    return previews.list_own(portal, project_id, caller.id)


@router.get("/release-requests", response_model=list[RequestShape])
def mine(portal: PortalOf, caller: CallerOf) -> Any:
    """The caller's own requests, the newest first."""
    with portal.reading() as db:
        return requests.requests_of(db, caller.id)


@router.post("/release-requests", status_code=201)
def create(portal: PortalOf, caller: CallerOf, body: NewRequest) -> RequestViewShape:
    """Makes a draft and, when asked to, submits it; submitting takes seconds, as the files are copied and checked."""
    with portal.writing() as db:
        row = requests.create_draft(
            db, portal.settings, project_id=body.project, title=body.title, purpose=body.purpose, actor=caller.id
        )
        for file in body.files:
            requests.add_files(db, portal.settings, row.id, [file.name], context=file.context, actor=caller.id)
    if body.submit:
        requests.submit(portal.engine, portal.settings, row.id, actor=caller.id)
    return one(portal, caller, row.id)


@router.get("/release-requests/{request_id}")
def one(portal: PortalOf, caller: CallerOf, request_id: str) -> RequestViewShape:
    """What the caller may see of a request, and may do with it now; each view is logged."""
    with portal.writing() as db:
        found = reviews.view(db, portal.settings, request_id, viewer=caller.id)
        details = {"turn": found.request.turn, "page": "api"}
        record(db, LogAct.RequestViewed, actor=caller.id, subject=f"request:{request_id}", details=details)
        return RequestViewShape.model_validate(
            {
                "request": found.request,
                "files": found.files,
                "comments": found.comments,
                "blind": found.blind,
                "can": sorted(found.can),
                "release_id": found.release_id,
            }
        )


@router.post("/release-requests/{request_id}/files")
def add_file(portal: PortalOf, caller: CallerOf, request_id: str, body: PickedFile) -> Said:
    """Adds files by path, folder or glob, all with the same context."""
    with portal.writing() as db:
        added = requests.add_files(db, portal.settings, request_id, [body.name], context=body.context, actor=caller.id)
    return Said(said=f"Added: {', '.join(file.name for file in added)}.")


@router.delete("/release-requests/{request_id}/files")
def remove_file(portal: PortalOf, caller: CallerOf, request_id: str, name: str) -> Said:
    """Takes a file out of the turn that is being prepared."""
    with portal.writing() as db:
        requests.remove_file(db, portal.settings, request_id, name, actor=caller.id)
    return Said(said=f"{name} was taken out.")


@router.post("/release-requests/{request_id}/submit")
def submit(portal: PortalOf, caller: CallerOf, request_id: str) -> Said:
    """Submits the draft, or the next turn."""
    return Said(said=MEANINGS[requests.submit(portal.engine, portal.settings, request_id, actor=caller.id)])


@router.post("/release-requests/{request_id}/{act}")
def change(
    portal: PortalOf,
    caller: CallerOf,
    request_id: str,
    act: Literal["withdraw", "appeal", "claim", "unclaim"],
    body: Reason,
) -> Said:
    """The author withdraws or appeals; a reviewer claims or gives back."""
    with portal.writing() as db:
        settings = portal.settings
        match act:
            case "withdraw":
                requests.withdraw(db, settings, request_id, actor=caller.id, reason=body.reason)
            case "appeal":
                requests.appeal(db, settings, request_id, actor=caller.id, reason=body.reason)
            case "claim":
                reviews.claim(db, settings, request_id, actor=caller.id)
            case "unclaim":
                reviews.unclaim(db, settings, request_id, actor=caller.id)
    return Said(said="Done.")


@router.post("/release-requests/{request_id}/discussion/comments", status_code=201)
def comment(portal: PortalOf, caller: CallerOf, request_id: str, body: NewComment) -> Said:
    """Says something about the request, a file, or a place in a file."""
    with portal.writing() as db:
        reviews.comment(
            db,
            portal.settings,
            request_id,
            body.text,
            actor=caller.id,
            file_id=body.file_id,
            place=body.place,
        )
    return Said(said="Said.")


@router.get("/queue", response_model=list[QueueShape], tags=["review"])
def queue(portal: PortalOf, caller: CallerOf) -> Any:
    """The requests that wait for the caller, the longest waiting first."""
    with portal.reading() as db:
        return reviews.queue(db, portal.settings, reviewer=caller.id)


@router.post("/release-requests/{request_id}/files/{file_id}/votes", status_code=201, tags=["review"])
def vote(portal: PortalOf, caller: CallerOf, request_id: str, file_id: Number, body: NewVote) -> Said:
    """Votes on one file; an approval is signed."""
    with portal.writing() as db:
        state = reviews.vote(
            db, portal.settings, request_id, file_id, body.verdict, actor=caller.id, reason=body.reason
        )
    return Said(said=MEANINGS[state])


@router.get("/release-requests/{request_id}/files/{file_id}/preview", tags=["review"])
def preview(portal: PortalOf, caller: CallerOf, request_id: str, file_id: Number) -> PreviewShape:
    """A preview, cut to size, logged and metered: tables and text."""
    found = previews.show(portal, request_id, file_id, caller.id)
    part = found.preview
    return PreviewShape(
        kind=part.kind,
        tables=[PreviewTableShape.model_validate(table) for table in part.tables],
        text=part.text,
        note=part.note,
        images=len(part.images),
        cut=found.cut,
    )


@router.get("/releases/{release_id}/files", response_model=list[ReleaseFileShape], tags=["download"])
def release_files(portal: PortalOf, caller: CallerOf, release_id: str) -> Any:
    """The files of one of the caller's releases."""
    with portal.reading() as db:
        if release_id not in {row.id for row in release.releases_of(db, caller.id)}:
            raise NotFound("You have no such release.")
        return release.release_files(db, release_id)


@router.post("/releases/{release_id}/links", status_code=201, tags=["download"])
def link(portal: PortalOf, caller: CallerOf, release_id: str, file_id: Number | None = None) -> Link:
    """A single-use address of one file, or of the whole bundle without `file_id`; for the caller alone."""
    token = release.make_link(portal.engine, portal.settings, release_id, actor=caller.id, release_file_id=file_id)
    return Link(url=f"{portal.settings.web.origin}{portal.prefix}api/download/{token}")


@router.get(
    "/download/{token}",
    tags=["download"],
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file, or the bundle."}},
)
def download(portal: PortalOf, caller: CallerOf, token: str) -> Response:
    """The bytes behind a single-use address, verified again as they are served."""
    return attachment(release.redeem(portal.engine, portal.settings, token, actor=caller.id))
