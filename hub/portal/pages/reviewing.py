"""The review queue and the page of a request as its reviewers see it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from access_control import clock
from access_control.audit import Act, record
from egress_review import freezing, release, reviews
from egress_review.errors import Invalid, NotFound
from egress_review.models import RequestFile
from egress_review.states import MEANINGS, State
from hub.portal import dry_run, intended, turns
from hub.portal import shown as previews
from hub.portal.context import FormOf, Portal, PortalOf, Visitor, VisitorOf
from hub.portal.going import go
from hub.portal.numbers import Number, number_of
from hub.portal.pages.stewardship import owners_of
from hub.portal.places import places
from hub.portal.rendering import page, part

router = APIRouter()
STEWARDS = ("steward", "lead-steward")


SHOWS = (("all", "All"), ("free", "Nobody's"), ("mine", "Claimed by me"), ("late", "Overdue"), ("in", "Imports"))
_WORST = {"block": 0, "unknown": 1, "warn": 2, "pass": 3}
SORTS: dict[str, Callable[[reviews.QueueItem], object]] = {
    "waiting": lambda item: item.waiting_since,
    "title": lambda item: item.request.title.casefold(),
    "project": lambda item: (item.request.project_id, item.request.author_id),
    "checks": lambda item: _WORST.get(item.verdict, 0),
    "claimed": lambda item: (not item.mine, item.claimed_by),
}


def _late(item: reviews.QueueItem, portal: Portal) -> bool:
    return (clock.now() - item.waiting_since).total_seconds() > portal.settings.egress.remind_hours * 3600


@router.get("/queue")
def queue(request: Request, portal: PortalOf, visitor: VisitorOf, sort: str = "waiting", show: str = "all") -> Response:
    """The requests that wait for the visitor, the longest waiting first unless another order is asked for."""
    owners_of(visitor)
    with portal.reading() as db:
        items = reviews.queue(db, portal.settings, reviewer=visitor.id)
    late = [item for item in items if _late(item, portal)]
    chosen = {
        "free": [item for item in items if not item.claimed_by],
        "mine": [item for item in items if item.mine],
        "late": late,
        "in": [item for item in items if item.request.direction == "in"],
    }.get(show, items)
    return page(
        request,
        "queue.html",
        title="Review queue",
        items=sorted(chosen, key=SORTS.get(sort, SORTS["waiting"])),  # type: ignore[arg-type]
        total=len(items),
        late=len(late),
        sort=sort if sort in SORTS else "waiting",
        show=show if show in dict(SHOWS) else "all",
        shows=SHOWS,
        limits=portal.settings.egress,
        now=clock.now(),
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
        waiting = reviews.queue(db, portal.settings, reviewer=visitor.id) if visitor.has(*STEWARDS) else []
        return page(
            request,
            "review.html",
            title=shown.request.title,
            view=shown,
            meaning=MEANINGS[State(shown.request.state)],
            intended=intended.intended_outputs(db, shown.request.project_id),
            limits=portal.settings.egress.profiles.get(shown.request.profile),
            before={file.name: file for file in reversed(shown.earlier)},  # the newest of each name comes last
            in_queue=len(waiting),
            next_one=next_in_queue(waiting, request_id),
            dry_runs=dry_run.runs_of(db, request_id),
        )


def next_in_queue(waiting: list[reviews.QueueItem], request_id: str) -> reviews.QueueItem | None:
    """The request after this one, of those that nobody else has claimed; the first again after the last."""
    ids = [item.request.id for item in waiting]
    at = ids.index(request_id) + 1 if request_id in ids else 0
    others = [*waiting[at:], *waiting[:at]]
    return next((item for item in others if item.request.id != request_id and (item.mine or not item.claimed_by)), None)


@router.get("/reviews/{request_id}/files/{file_id}/preview")
def preview(request: Request, portal: PortalOf, visitor: VisitorOf, request_id: str, file_id: Number) -> Response:
    """The preview of a file: plain tables with what the findings name marked, text and the addresses of PNG images."""
    found = previews.show(portal, request_id, file_id, visitor.id)
    with portal.reading() as db:
        file = db.get(RequestFile, file_id)
        name, findings = (file.name, list(file.findings)) if file else ("", [])
    return part(
        request,
        "preview.html",
        title=f"Preview of {name}",
        back=f"reviews/{quote(request_id)}",
        request_id=request_id,
        file_id=file_id,
        shown=found,
        places=[places(findings, table, name) for table in found.preview.tables],
    )


@router.get("/reviews/{request_id}/files/{file_id}/changes")
def changes(request: Request, portal: PortalOf, visitor: VisitorOf, request_id: str, file_id: Number) -> Response:
    """A file beside what it was in the turn before: only what differs, and both sets of images."""
    with portal.reading() as db:
        seen = reviews.view(db, portal.settings, request_id, viewer=visitor.id)
        new = next((each.file for each in seen.files if each.file.id == file_id), None)
        old = next((each for each in seen.earlier if new is not None and each.name == new.name), None)
    if new is None or old is None:
        raise NotFound("This file was in no turn before this one, so there is nothing to compare.")
    was, is_now = (previews.show(portal, request_id, each.id, visitor.id) for each in (old, new))
    lines, cut = turns.compare(was.preview, is_now.preview)
    images = (len(was.preview.images), len(is_now.preview.images))
    return part(
        request,
        "changes.html",
        title=f"{new.name}, turn {old.turn} and {new.turn}",
        back=f"reviews/{quote(request_id)}",
        request_id=request_id,
        old=old,
        new=new,
        lines=lines,
        cut=cut or was.cut or is_now.cut,
        images=images if any(images) else (),
    )


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
        shown = reviews.view(db, portal.settings, request_id, viewer=visitor.id)
        missing = [each.file.id for each in shown.files if each.my_vote is None] if "vote" in shown.can else []
    path = f"reviews/{quote(request_id)}" + (f"#f{missing[0]}" if missing else "")
    return go(portal, visitor, path, f"Your vote is kept. {MEANINGS[state]}")


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
