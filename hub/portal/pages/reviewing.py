"""The review queue and the page of a request as its reviewers see it."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from access_control import clock
from access_control.audit import Act, record
from egress_review import freezing, release, reviews
from egress_review.errors import Invalid, NotFound
from egress_review.states import MEANINGS, State
from hub.portal import intended
from hub.portal import shown as previews
from hub.portal.context import FormOf, Portal, PortalOf, Visitor, VisitorOf
from hub.portal.going import go
from hub.portal.numbers import Number, number_of
from hub.portal.pages.stewardship import owners_of
from hub.portal.rendering import fragment, page

router = APIRouter()


@router.get("/queue")
def queue(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """The requests that wait for the visitor, the longest waiting first."""
    owners_of(visitor)
    with portal.reading() as db:
        items = reviews.queue(db, portal.settings, reviewer=visitor.id)
    return page(
        request, "queue.html", title="Review queue", items=items, limits=portal.settings.egress, now=clock.now()
    )


@router.get("/reviews/{request_id}")
def review(request: Request, portal: PortalOf, visitor: VisitorOf, request_id: str) -> Response:
    """One request: its files with findings and previews, votes that may be seen, comments, what can be done."""
    with portal.writing() as db:
        shown = reviews.view(db, portal.settings, request_id, viewer=visitor.id)
        if shown.request.author_id == visitor.id:
            return RedirectResponse(f"{portal.prefix}releases/{quote(request_id)}", status_code=303)
        details = {"turn": shown.request.turn, "page": "review"}
        record(db, Act.RequestViewed, actor=visitor.id, subject=f"request:{request_id}", details=details)
        return page(
            request,
            "review.html",
            title=shown.request.title,
            view=shown,
            meaning=MEANINGS[State(shown.request.state)],
            intended=intended.intended_outputs(db, shown.request.project_id),
        )


@router.get("/reviews/{request_id}/files/{file_id}/preview")
def preview(request: Request, portal: PortalOf, visitor: VisitorOf, request_id: str, file_id: Number) -> Response:
    """The preview of a file: plain tables, plain text and the addresses of PNG images."""
    found = previews.show(portal, request_id, file_id, visitor.id)
    return fragment(request, "preview.html", shown=found, request_id=request_id, file_id=file_id)


@router.get("/reviews/{request_id}/files/{file_id}/preview/{number}.png")
def preview_image(portal: PortalOf, visitor: VisitorOf, request_id: str, file_id: Number, number: Number) -> Response:
    """One image of a preview, encoded anew in the sandbox."""
    return Response(previews.image(portal, request_id, file_id, number, visitor.id), media_type="image/png")


@router.post("/reviews/{request_id}/files/{file_id}/vote")
def vote(portal: PortalOf, visitor: VisitorOf, form: FormOf, request_id: str, file_id: Number) -> Response:
    """Votes on one file."""
    with portal.writing() as db:
        state = reviews.vote(
            db,
            portal.settings,
            request_id,
            file_id,
            form.text("verdict"),
            actor=visitor.id,
            reason=form.text("reason", ""),
        )
    return go(portal, visitor, f"reviews/{quote(request_id)}", f"Your vote is kept. {MEANINGS[state]}")


@router.post("/reviews/{request_id}/{act}")
def change(portal: PortalOf, visitor: VisitorOf, form: FormOf, request_id: str, act: str) -> Response:
    """Claims, gives back, comments, thaws or revokes."""
    with portal.writing() as db:
        settings, actor = portal.settings, visitor.id
        match act:
            case "claim":
                taken = reviews.claim(db, settings, request_id, actor=actor)
                said = f"It is yours until {taken.until:%H:%M} UTC."
            case "unclaim":
                reviews.unclaim(db, settings, request_id, actor=actor)
                said = "Given back."
            case "comment":
                about = form.text("file", "")
                reviews.comment(
                    db,
                    settings,
                    request_id,
                    form.text("text"),
                    actor=actor,
                    file_id=number_of(about),
                    place=form.text("place", ""),
                )
                said = "Said. The author reads it."
            case "thaw":
                freezing.thaw(db, settings, request_id, actor=actor, reason=form.text("reason"))
                said = "Thawed: it is where it was."
            case "revoke":
                _revoke(db, portal, visitor, request_id, form.text("reason"))
                said = "Revoked: every link is dead."
            case _:
                raise Invalid(f"{act!r} cannot be done with a request.")
    return go(portal, visitor, f"reviews/{quote(request_id)}", said)


def _revoke(db: Session, portal: Portal, visitor: Visitor, request_id: str, reason: str) -> None:
    shown = reviews.view(db, portal.settings, request_id, viewer=visitor.id)
    if shown.release_id is None:
        raise NotFound("Nothing of this request was released, so there is nothing to take back.")
    release.revoke(db, portal.settings, shown.release_id, actor=visitor.id, reason=reason)
