"""A dry run of the checks on a draft: its author reads what they would find before anything is submitted.

It is no secret: each run stands among the request's comments, where reviewers see how often the files were tried and
with what verdicts, and in the log. The comparison with earlier releases is left out, so a run tells nothing of them.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from access_control import audit, changes, clock
from access_control.audit import Act
from egress_review import checking
from egress_review.errors import Invalid, Refused
from egress_review.findings import FileResult
from egress_review.models import Comment, ReleaseRequest
from egress_review.permissions import caller, check_is_author, check_may_draft
from egress_review.policies import check_editable, editable_turn
from egress_review.records import get_request, rows_of
from egress_review.snapshot import take
from egress_review.standing import basis_of
from egress_review.store import Store
from hub.portal.context import Portal

BY = "<checks>"
MOST_A_DAY = 30  # runs of one person: enough to mend a table, too few to feel one's way past a rule
KEPT = 200


@dataclass(frozen=True)
class DryRun:
    """What the checks found in the files of a draft as they were at that time, by the files' names."""

    at: datetime
    results: dict[str, FileResult]


_kept: OrderedDict[str, DryRun] = OrderedDict()
_lock = threading.Lock()


def run(portal: Portal, request_id: str, *, actor: str) -> DryRun:
    """Checks the draft's files as they are now; raises what submitting would raise, and Refused after too many."""
    settings = portal.settings
    with portal.reading() as db:
        request = get_request(db, request_id)
        who = caller(db, settings, actor)
        check_is_author(who, request)
        check_may_draft(who, request.project_id)
        check_editable(request)
        if request.direction != "out":
            raise Invalid("What comes in is checked when it is submitted.")
        names = [file.name for file in rows_of(db, request, editable_turn(request))]
        basis = basis_of(db, settings, request)
        project = request.project_id
    comment = _count(portal, request_id, actor, len(names))
    store = Store(settings.store)
    taken = take(store, settings.workspaces, project, actor, names, limits=settings.egress)
    results = checking.check_files(
        settings,
        [(store.verify(file.sha256), file.name) for file in taken],
        profile=settings.egress.profiles[basis.profile],
        datasets=sorted({(str(each["dataset"]), int(each["dataset_version"])) for each in basis.mounts}),
    )
    found = DryRun(clock.now(), {result.path: result for result in results})
    _write(portal, comment, actor, found, {file.name: file.sha256 for file in taken})
    with _lock:
        _kept[request_id] = found
        _kept.move_to_end(request_id)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return found


def _count(portal: Portal, request_id: str, actor: str, files: int) -> int:
    """Takes one of the person's runs of today, before anything is checked: a run that breaks off counts too.

    Returns the number of the comment that tells of it.
    """
    began = datetime.combine(clock.today(), datetime.min.time(), UTC)
    with portal.writing() as db:
        changes.queue(db)
        mine = select(ReleaseRequest.id).where(ReleaseRequest.author_id == actor)
        done = db.scalar(
            select(func.count(Comment.id)).where(
                Comment.author_id == BY, Comment.at >= began, Comment.request_id.in_(mine)
            )
        )
        if (done or 0) >= MOST_A_DAY:
            raise Refused(
                f"You have tried the checks {MOST_A_DAY} times today. Submit the request: reviewers help with the rest."
            )
        request = get_request(db, request_id)
        row = Comment(
            request_id=request_id,
            turn=editable_turn(request),
            place="",
            author_id=BY,
            by_reviewer=False,
            text=f"The author tries the checks without submitting: {files} file{'' if files == 1 else 's'}.",
            at=clock.now(),
        )
        db.add(row)
        db.flush()
        return row.id


def _write(portal: Portal, comment: int, actor: str, found: DryRun, hashes: dict[str, str]) -> None:
    """Adds to the comment what came of the run, and writes it to the log."""
    verdicts = {name: result.verdict for name, result in found.results.items()}
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(Counter(verdicts.values()).items()))
    with portal.writing() as db:
        row = db.get_one(Comment, comment)
        row.text = f"{row.text} Verdicts: {told}."
        details = {"dry_run": True, "verdicts": verdicts, "files": hashes}
        audit.record(db, Act.RequestChecked, actor=actor, subject=f"request:{row.request_id}", details=details)


def runs_of(db: Session, request_id: str) -> int:
    """How often the author tried the checks on this request."""
    query = select(func.count(Comment.id)).where(Comment.request_id == request_id, Comment.author_id == BY)
    return db.scalar(query) or 0


def last_run(request_id: str) -> DryRun | None:
    """The newest run of a request, while this process remembers it."""
    with _lock:
        return _kept.get(request_id)
