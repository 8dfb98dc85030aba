"""What an author does with a request: drafts it, picks files, submits turn after turn, takes it back, appeals.

Functions that take a Session work in the caller's transaction. `submit`, `run_checks` and `resume` take the Engine and
make transactions of their own, because files are copied and checked while none is open.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import audit, clock, models
from access_control.audit import Act
from access_control.settings import Settings
from egress_review.errors import Invalid, NotFound, WrongState
from egress_review.models import ReleaseRequest, RequestFile
from egress_review.names import check_distinct
from egress_review.permissions import caller, check_is_author, check_may_draft
from egress_review.policies import check_editable, editable_turn
from egress_review.records import MAX_TEXT, advance, copy_of, get_request, new_id, rows_of, said, seeded
from egress_review.snapshot import expand
from egress_review.states import Step
from egress_review.submission import resume, run_checks, submit

__all__ = [
    "add_files",
    "appeal",
    "create_draft",
    "files_of",
    "remove_file",
    "requests_of",
    "resume",
    "run_checks",
    "set_context",
    "submit",
    "withdraw",
]


def create_draft(
    db: Session, settings: Settings, *, project_id: str, title: str, purpose: str, actor: str, direction: str = "out"
) -> ReleaseRequest:
    """A new, empty draft by a member of the project; `direction` is out (egress) or in (import)."""
    if direction not in {"out", "in"}:
        raise Invalid(f"A request goes out or in, not {direction!r}.")
    project = db.get(models.Project, project_id)
    if project is None:
        raise NotFound(f"There is no project {project_id}.")
    check_may_draft(caller(db, settings, actor), project_id)
    request = ReleaseRequest(
        id=new_id(db, ReleaseRequest, "REQ"),
        project_id=project_id,
        author_id=actor,
        direction=direction,
        title=said(title, "The title")[:200],
        purpose=said(purpose, "The purpose"),
        tier=project.tier,
        created_at=clock.now(),
    )
    db.add(request)
    db.flush()
    _record(db, request, actor, {"step": "draft", "project": project_id, "direction": direction})
    return request


def add_files(
    db: Session, settings: Settings, request_id: str, patterns: Sequence[str], *, context: str, actor: str
) -> list[RequestFile]:
    """Adds workspace files by path, folder or glob (`results/*.csv`, `figures`), all with the same `context`.

    Possible in a draft, and after changes were asked (for the next turn). Nothing is copied before `submit`.
    """
    request = _editable(db, settings, request_id, actor)
    if request.direction != "out":
        raise WrongState("Files of an import are uploaded, not picked from the workspace.")
    context = said(context, "The context (what the file shows, of whom, how many)")
    names = expand(settings.workspaces, request.project_id, request.author_id, patterns, settings.egress)
    turn = editable_turn(request)
    there = {file.name: file for file in rows_of(db, request, turn)}
    check_distinct([*there, *names])
    if len({*there, *names}) > settings.egress.max_files:
        raise Invalid(f"A request may have {settings.egress.max_files} files. Make several requests.")
    added = []
    for name in names:
        file = there.get(name)
        if file is None:
            file = RequestFile(request_id=request.id, turn=turn, name=name, since_turn=turn)
            db.add(file)
        file.context = context
        added.append(file)
    db.flush()
    _record(db, request, actor, {"step": "add files", "turn": turn, "files": names})
    return added


def set_context(
    db: Session, settings: Settings, request_id: str, name: str, context: str, *, actor: str
) -> RequestFile:
    """Says anew what a file shows and whom it counts; in the next turn the file loses its votes by it."""
    request = _editable(db, settings, request_id, actor)
    file = _file(db, request, name)
    file.context = said(context, "The context (what the file shows, of whom, how many)")
    db.flush()
    _record(db, request, actor, {"step": "set context", "turn": file.turn, "files": [name]})
    return file


def remove_file(db: Session, settings: Settings, request_id: str, name: str, *, actor: str) -> None:
    """Takes a file out of the turn that is being prepared."""
    request = _editable(db, settings, request_id, actor)
    file = _file(db, request, name)
    file.removed_at = clock.now()
    db.flush()
    _record(db, request, actor, {"step": "remove file", "turn": file.turn, "files": [name]})


def withdraw(db: Session, settings: Settings, request_id: str, *, actor: str, reason: str = "") -> None:
    """The author takes the request back."""
    request = get_request(db, request_id, lock=True)
    check_is_author(caller(db, settings, actor), request)
    advance(db, request, Step.Withdraw, actor=actor, reason=reason.strip()[:MAX_TEXT])
    request.reason = reason.strip()[:MAX_TEXT]
    db.flush()


def appeal(db: Session, settings: Settings, request_id: str, *, actor: str, reason: str) -> None:
    """The author of a rejected request asks, once, for reviewers who have not voted on it.

    The same files go into a new turn, in which no earlier vote counts.
    """
    request = get_request(db, request_id, lock=True)
    check_is_author(caller(db, settings, actor), request)
    if request.appeal:
        raise WrongState(f"{request.id} was appealed before. Make a new request that answers what reviewers said.")
    reason = said(reason, "Why the decision should be looked at again")
    files = rows_of(db, request, request.turn)
    advance(db, request, Step.Appeal, actor=actor, reason=reason)
    request.appeal = reason
    request.turn += 1
    for file in files:
        db.add(copy_of(file, request.turn, since=request.turn))
    db.flush()


def requests_of(db: Session, person_id: str) -> list[ReleaseRequest]:
    """The person's own requests, newest first."""
    query = select(ReleaseRequest).where(ReleaseRequest.author_id == person_id)
    rows = db.scalars(query.order_by(ReleaseRequest.created_at.desc(), ReleaseRequest.id.desc()))
    return [row for row in rows if not seeded(db, row.id)]


def files_of(db: Session, request: ReleaseRequest, turn: int | None = None) -> list[RequestFile]:
    """The files of a turn by name; without `turn` of the one an author edits, or else of the current one."""
    return rows_of(db, request, turn if turn is not None else editable_turn(request))


def _editable(db: Session, settings: Settings, request_id: str, actor: str) -> ReleaseRequest:
    request = get_request(db, request_id, lock=True)
    who = caller(db, settings, actor)
    check_is_author(who, request)
    check_may_draft(who, request.project_id)
    check_editable(request)
    return request


def _file(db: Session, request: ReleaseRequest, name: str) -> RequestFile:
    for file in rows_of(db, request, editable_turn(request)):
        if file.name == name:
            return file
    raise NotFound(f"{name} is not among the files of {request.id}.")


def _record(db: Session, request: ReleaseRequest, actor: str, details: dict[str, object]) -> None:
    audit.record(db, Act.RequestChanged, actor=actor, subject=f"request:{request.id}", details=details)
