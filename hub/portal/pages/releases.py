"""Release requests as their author sees them: pick files, say what they show, submit, follow, download."""

from __future__ import annotations

from collections import Counter
from urllib.parse import quote

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from access_control.audit import Act, record
from egress_review import release, requests, reviews
from egress_review.errors import EgressError, Invalid, NotFound
from egress_review.models import Release, ReleaseRequest, Vote
from egress_review.records import counted_votes, rows_of
from egress_review.release import Released
from egress_review.states import MEANINGS, State
from hub.portal import dry_run
from hub.portal import shown as listing
from hub.portal.context import Form, FormOf, InvalidField, Portal, PortalOf, Visitor, VisitorOf
from hub.portal.going import go
from hub.portal.numbers import number_of
from hub.portal.pages.projects import members_only
from hub.portal.rendering import page
from hub.portal.security import DOWNLOAD_POLICY

router = APIRouter()


@router.get("/releases")
def mine(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """The visitor's release requests, the newest first."""
    with portal.reading() as db:
        rows = [row for row in requests.requests_of(db, visitor.id) if row.direction == "out"]
        projects = visitor.domains("researcher", "lead")
        return page(request, "releases.html", title="Release requests", rows=rows, projects=projects, MEANINGS=MEANINGS)


@router.get("/releases/new")
def new(request: Request, portal: PortalOf, visitor: VisitorOf, project: str) -> Response:
    """The form of a new request, with the files of the workspace."""
    members_only(portal, visitor, project)
    files = listing.list_own(portal, project, visitor.id)
    limits = portal.settings.egress
    return page(request, "release_new.html", title="Release files", project=project, files=files, limits=limits)


def picked(form: Form) -> list[tuple[str, str]]:
    """The files that were ticked with the context of each; raises Invalid when one has none."""
    fields = dict(form.items())
    chosen = []
    for number in form.all("pick"):
        name, context = fields.get(f"name-{number}", ""), fields.get(f"context-{number}", "").strip()
        if not name:
            raise Invalid("The list of files is incomplete. Tick them again.")
        if not context:
            raise InvalidField(f"Say what {name} shows: which figures, of whom, how many people.", f"context-{number}")
        chosen.append((name, context))
    return chosen


@router.post("/releases/new")
def create(portal: PortalOf, visitor: VisitorOf, form: FormOf) -> Response:
    """Makes the draft with the ticked files and, when that was the button, submits it."""
    chosen = picked(form)
    if not chosen:
        raise Invalid("No file is ticked. Tick those that are to leave.")
    with portal.writing() as db:
        row = requests.create_draft(
            db,
            portal.settings,
            project_id=form.text("project"),
            title=form.text("title"),
            purpose=form.text("purpose"),
            actor=visitor.id,
        )
        for name, context in chosen:
            requests.add_files(db, portal.settings, row.id, [name], context=context, actor=visitor.id)
    then = {"submit": _submit, "check": _try}.get(form.text("then", "save"))
    if then is not None:
        try:
            return then(portal, visitor, row.id)
        except EgressError as error:  # the draft is there: shown again, the form would make a second one
            visitor.say(f"It is saved as a draft, and nothing more: {error}", kind="bad")
            return go(portal, visitor, f"releases/{row.id}")
    return go(portal, visitor, f"releases/{row.id}", "The draft is saved. Nothing was copied yet.")


def _submit(portal: Portal, visitor: Visitor, request_id: str) -> Response:
    state = requests.submit(portal.engine, portal.settings, request_id, actor=visitor.id)
    return go(portal, visitor, f"releases/{quote(request_id)}", f"Submitted. {MEANINGS[state]}")


def _try(portal: Portal, visitor: Visitor, request_id: str) -> Response:
    found = dry_run.run(portal, request_id, actor=visitor.id)
    counts = Counter(result.verdict for result in found.results.values())
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    return go(portal, visitor, f"releases/{quote(request_id)}", f"Checked, and not submitted: {told}.")


@router.get("/releases/{request_id}")
def one(request: Request, portal: PortalOf, visitor: VisitorOf, request_id: str) -> Response:
    """One of the visitor's requests with its findings, comments and downloads."""
    with portal.writing() as db:
        shown = reviews.view(db, portal.settings, request_id, viewer=visitor.id)
        row = shown.request
        if row.author_id != visitor.id:
            return RedirectResponse(f"{portal.prefix}reviews/{quote(request_id)}", status_code=303)
        details = {"turn": row.turn, "page": "author"}
        record(db, Act.RequestViewed, actor=visitor.id, subject=f"request:{row.id}", details=details)
        found = db.get(Release, shown.release_id) if shown.release_id else None
        released = release.release_files(db, found.id) if found else []
        editable = "add_files" in shown.can
        editing = requests.files_of(db, row) if editable else []
        reasons = _reasons(db, row) if editable else {}
    # Listing the workspace counts what it shows, in a transaction of its own: two that write would wait for each other.
    picking = editable and row.direction == "out"
    there = listing.list_own(portal, row.project_id, visitor.id) if picking else []
    return page(
        request,
        "release.html",
        title=row.title,
        view=shown,
        release=found,
        release_files=released,
        editing=editing,
        files=[each for each in there if each.name not in {file.name for file in editing}],
        limits=portal.settings.egress,
        meaning=MEANINGS[State(row.state)],
        run=dry_run.last_run(row.id) if picking else None,
        reasons=reasons,
    )


def _reasons(db: Session, row: ReleaseRequest) -> dict[str, list[Vote]]:
    """What reviewers said of each file of the turn that was decided: what the author now mends, by the file's name."""
    found: dict[str, list[Vote]] = {}
    for file in rows_of(db, row, row.turn):
        found[file.name] = [vote for vote in counted_votes(db, file) if vote.reason]
    return found


@router.post("/releases/{request_id}/{act}")
def change(portal: PortalOf, visitor: VisitorOf, form: FormOf, request_id: str, act: str) -> Response:
    """What an author does with a request."""
    path = f"releases/{quote(request_id)}"
    if act == "submit":
        return _submit(portal, visitor, request_id)
    if act == "check":
        return _try(portal, visitor, request_id)
    with portal.writing() as db:
        settings, actor = portal.settings, visitor.id
        match act:
            case "add":
                for name, context in picked(form):
                    requests.add_files(db, settings, request_id, [name], context=context, actor=actor)
                said = "Added."
            case "context":
                requests.set_context(db, settings, request_id, form.text("name"), form.text("context"), actor=actor)
                said = "The context is changed."
            case "remove":
                requests.remove_file(db, settings, request_id, form.text("name"), actor=actor)
                said = "Taken out of the request. Your workspace still has it."
            case "withdraw":
                requests.withdraw(db, settings, request_id, actor=actor, reason=form.text("reason", ""))
                said = "Withdrawn."
            case "appeal":
                requests.appeal(db, settings, request_id, actor=actor, reason=form.text("reason"))
                said = "Your appeal goes to reviewers who have not voted on it."
            case "comment":
                reviews.comment(db, settings, request_id, form.text("text"), actor=actor)
                said = "Said."
            case _:
                raise Invalid(f"{act!r} cannot be done with a release request.")
    return go(portal, visitor, path, said)


@router.post("/released/{release_id}/{what}")
def download(portal: PortalOf, visitor: VisitorOf, form: FormOf, release_id: str, what: str) -> Response:  # noqa: ARG001
    """Makes a single-use link for one file or for the `bundle` and follows it."""
    number = number_of(what)
    if what != "bundle" and number is None:
        raise NotFound("There is no such file in this release.")
    token = release.make_link(
        portal.engine,
        portal.settings,
        release_id,
        actor=visitor.id,
        release_file_id=number,
    )
    return RedirectResponse(f"{portal.prefix}download/{token}", status_code=303)


@router.get("/download/{token}")
def redeem(portal: PortalOf, visitor: VisitorOf, token: str) -> Response:
    """The bytes behind a single-use link: the gate verifies all of it again, and this is the only way to them."""
    return attachment(release.redeem(portal.engine, portal.settings, token, actor=visitor.id))


def attachment(released: Released) -> Response:
    """An answer that a browser saves and never shows, whatever is in it."""
    name = released.name.rsplit("/", 1)[-1]
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name) or "file"
    return Response(
        released.read(),
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Security-Policy": DOWNLOAD_POLICY,
            "X-Content-SHA256": released.sha256,
        },
    )
