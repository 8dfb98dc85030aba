"""What a reviewer does with a request: finds it in the queue, claims it, looks, comments, votes file by file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import audit, clock
from access_control.audit import Act
from access_control.settings import Settings
from egress_review.approvals import payload_for
from egress_review.claims import (
    active_claims,
    check_may_take_place,
    claim,
    end_claim,
    places,
    seconds_spent,
    take_place,
    unclaim,
    voters,
)
from egress_review.deciding import leaving, outcome_of, settle
from egress_review.errors import EgressError, Invalid, NotFound
from egress_review.models import Claim, Comment, Release, ReleaseRequest, RequestFile, Vote
from egress_review.permissions import (
    allowed,
    caller,
    check_may_hold,
    check_may_review,
    check_may_thaw,
    check_may_view,
    is_seeded,
)
from egress_review.policies import EDITABLE, can, check_commentable, check_votable, editable_turn
from egress_review.records import MAX_TEXT, counted_votes, get_request, rows_of, said
from egress_review.signing import sign_as
from egress_review.states import State, Step
from egress_review.store import Store
from egress_review.trusted_path import needed_for
from egress_review.voting import Verdict

__all__ = [
    "FileView",
    "QueueItem",
    "RequestView",
    "claim",
    "comment",
    "original_of",
    "queue",
    "unclaim",
    "view",
    "vote",
]

_WORST = ("pass", "warn", "unknown", "block")


@dataclass(frozen=True)
class QueueItem:
    """A request that this reviewer may decide on. `voted` of `needed` people are done; `mine`: this reviewer's
    claim.
    """

    request: ReleaseRequest
    files: int
    verdict: str  # the worst of its files: pass, warn, unknown or block
    waiting_since: datetime
    needed: int
    voted: int
    claimed_by: list[str]
    mine: bool
    third: bool  # the votes so far disagree: another one decides


@dataclass(frozen=True)
class FileView:
    """A file with the votes that the viewer may see; `my_vote` is the viewer's own latest.

    `outcome` is what was decided on the file, and empty while votes are hidden: it would tell how they went.
    """

    file: RequestFile
    votes: list[Vote]
    my_vote: Vote | None
    needed: int
    outcome: str


@dataclass(frozen=True)
class RequestView:
    """What one person may see of a request, and may do with it now.

    `blind`: others have voted, or may, and the viewer doesn't see it yet. `can` holds names of what `requests`,
    `reviews`, `release` and `freezing` would let the viewer do now: add_files, submit, withdraw, appeal, claim,
    unclaim, vote, comment, freeze, thaw, revoke, download.
    """

    request: ReleaseRequest
    files: list[FileView]
    earlier: list[RequestFile]  # of earlier turns, newest turn first
    comments: list[Comment]
    claims: list[Claim]
    blind: bool
    can: frozenset[str]
    release_id: str | None


def queue(db: Session, settings: Settings, *, reviewer: str) -> list[QueueItem]:
    """The requests that `reviewer` may decide on and that still need them, the longest waiting first."""
    who = caller(db, settings, reviewer)
    rows = db.scalars(select(ReleaseRequest).where(ReleaseRequest.state == State.InReview.value))
    items = []
    for request in rows:
        if not allowed(check_may_review, who, request):
            continue
        files = rows_of(db, request, request.turn)
        mine = {file.id for file in files if any(vote.reviewer_id == reviewer for vote in counted_votes(db, file))}
        if len(mine) == len(files):
            continue
        claims = active_claims(db, request)
        items.append(
            QueueItem(
                request=request,
                files=len(files),
                verdict=max((file.verdict for file in files), key=_WORST.index, default="pass"),
                waiting_since=request.queued_at or request.created_at,
                needed=places(db, settings, request),
                voted=len(voters(db, request)),
                claimed_by=sorted(claim.reviewer_id for claim in claims),
                mine=any(claim.reviewer_id == reviewer for claim in claims),
                third=any(outcome_of(db, settings, request, file).third for file in files),
            )
        )
    return sorted(items, key=lambda item: (item.waiting_since, item.request.id))


def is_blind(db: Session, settings: Settings, request: ReleaseRequest) -> bool:
    """Whether votes are still hidden: the request is in review, and on some file not enough have voted."""
    if State(request.state) is State.Frozen:
        return request.frozen_from == State.InReview.value
    if State(request.state) is not State.InReview:
        return False
    return not all(outcome_of(db, settings, request, file).enough for file in rows_of(db, request, request.turn))


def view(db: Session, settings: Settings, request_id: str, *, viewer: str) -> RequestView:
    """What `viewer` may see of the request; raises NotFound for one that this person may not know of.

    While it is in review its author sees no vote and no reviewer's comment; a reviewer sees those of others when enough
    have voted. Whoever only administers or audits sees all.
    """
    request = get_request(db, request_id)
    who = caller(db, settings, viewer)
    check_may_view(who, request)
    author, reviewer = viewer == request.author_id, allowed(check_may_review, who, request)
    undecided = State(request.state) in {State.InReview, State.Frozen} and (
        State(request.state) is State.InReview or request.frozen_from == State.InReview.value
    )
    blind = (author and undecided) or (reviewer and is_blind(db, settings, request))
    turn = editable_turn(request) if author else request.turn
    files = []
    for file in rows_of(db, request, turn):
        votes = counted_votes(db, file)
        mine = next((vote for vote in votes if vote.reviewer_id == viewer), None)
        shown = [vote for vote in votes if not blind or vote.reviewer_id == viewer]
        outcome = "" if blind else file.outcome
        files.append(FileView(file, shown, mine, needed_for(settings, request, file), outcome))
    earlier = db.scalars(
        select(RequestFile)
        .where(RequestFile.request_id == request.id, RequestFile.turn < turn, RequestFile.removed_at.is_(None))
        .order_by(RequestFile.turn.desc(), RequestFile.name)
    )
    comments = [
        each
        for each in db.scalars(select(Comment).where(Comment.request_id == request.id).order_by(Comment.id))
        if not (blind and each.by_reviewer and each.author_id != viewer and each.turn == request.turn)
    ]
    release = db.scalar(select(Release.id).where(Release.request_id == request.id))
    names = _possible(db, settings, request, viewer)
    if release is None:
        names -= {"revoke", "download"}
    return RequestView(
        request, files, list(earlier), comments, active_claims(db, request), blind, frozenset(names), release
    )


def _possible(db: Session, settings: Settings, request: ReleaseRequest, viewer: str) -> set[str]:
    who = caller(db, settings, viewer)
    state = State(request.state)
    names: set[str] = set()
    if viewer == request.author_id and not is_seeded(db, request.id):
        names |= {"add_files", "submit"} if state in EDITABLE else set()
        names |= {"withdraw"} if can(request, Step.Withdraw) else set()
        names |= {"appeal"} if can(request, Step.Appeal) and not request.appeal else set()
        names |= {"download"} if state is State.Released and request.direction == "out" else set()
        names |= {"place"} if state is State.Released and request.direction == "in" else set()
    if allowed(check_may_take_place, who, request):
        claimed = any(claim.reviewer_id == viewer for claim in active_claims(db, request))
        names |= {"vote", "unclaim" if claimed else "claim"}
    if _may_comment(db, settings, request, viewer):
        names.add("comment")
    if allowed(check_may_hold, who, request):
        names |= {"freeze"} if can(request, Step.Freeze) else set()
        names |= {"revoke"} if can(request, Step.Revoke) else set()
    if state is State.Frozen and allowed(check_may_thaw, who, request):
        names.add("thaw")
    return names


def _may_comment(db: Session, settings: Settings, request: ReleaseRequest, viewer: str) -> bool:
    try:
        check_commentable(request)
    except EgressError:
        return False
    who = caller(db, settings, viewer)
    return (viewer == request.author_id and not is_seeded(db, request.id)) or allowed(check_may_review, who, request)


def original_of(db: Session, settings: Settings, request_id: str, file_id: int, *, viewer: str) -> tuple[Path, str]:
    """The stored file and its kind for `previews.preview`, its hash just verified; audited as a view.

    For rendering alone: its bytes are never served. Whoever only administers sees no content.
    """
    request = get_request(db, request_id)
    who = caller(db, settings, viewer)
    check_may_view(who, request)
    if viewer != request.author_id:
        check_may_review(who, request)
    file = _file_of(db, request, file_id)
    if not file.sha256:
        raise Invalid(f"{file.name} is not submitted yet: open it in your session.")
    path = Store(settings.store).verify(file.sha256)
    details = {"file": file.name, "sha256": file.sha256, "turn": file.turn}
    audit.record(db, Act.RequestViewed, actor=viewer, subject=f"request:{request.id}", details=details)
    return path, file.kind


def vote(
    db: Session, settings: Settings, request_id: str, file_id: int, verdict: str, *, actor: str, reason: str = ""
) -> State:
    """Votes approve, changes or reject on one file of the current turn; returns the request's state after it.

    Takes a place if the reviewer has none. Anything but the approval of a file that passed all checks needs a `reason`:
    why the findings are accepted, or what is wrong. An approval is signed. The vote that completes the quorum of
    every file decides the request, and releases what was approved.
    """
    request = get_request(db, request_id, lock=True)
    check_votable(request)
    who = caller(db, settings, actor)
    sides = check_may_take_place(who, request)
    file = _file_of(db, request, file_id)
    if file.turn != request.turn:
        raise Invalid(f"{file.name} is of turn {file.turn}; votes are on turn {request.turn}.")
    if verdict not in set(Verdict):
        raise Invalid(f"A vote is {', '.join(Verdict)}, not {verdict!r}.")
    reason = reason.strip()[:MAX_TEXT]
    if verdict != Verdict.Approve and not reason:
        raise Invalid("Say what is wrong, so that the author can mend it.")
    if verdict == Verdict.Approve and file.verdict != "pass" and not reason:
        raise Invalid(f"The checks say {file.verdict} to {file.name}. Say why it may leave all the same.")
    take_place(db, who, request)
    payload = signature = key = ""
    if verdict == Verdict.Approve:
        leaving(request, file)
        Store(settings.store).verify(file.sha256)
        payload = payload_for(
            request,
            file,
            needed=needed_for(settings, request, file),
            reviewer=actor,
            sides=sides,
            reason=reason,
            policy_digest=who.policy.digest,
        )
        signature, key = sign_as(settings, actor, payload)
    db.add(
        Vote(
            request_id=request.id,
            turn=request.turn,
            file_id=file.id,
            reviewer_id=actor,
            sides=sorted(sides),
            verdict=verdict,
            reason=reason,
            seconds=seconds_spent(db, request, actor),
            payload=payload,
            signature=signature,
            key_id=key,
            at=clock.now(),
        )
    )
    db.flush()
    details = {"file": file.name, "sha256": file.sha256, "turn": file.turn, "verdict": verdict, "key": key}
    audit.record(db, Act.RequestVoted, actor=actor, subject=f"request:{request.id}", details=details)
    files = rows_of(db, request, request.turn)
    if all(any(each.reviewer_id == actor for each in counted_votes(db, other)) for other in files):
        end_claim(db, request, actor)
    return settle(db, settings, request)


def comment(
    db: Session,
    settings: Settings,
    request_id: str,
    text: str,
    *,
    actor: str,
    file_id: int | None = None,
    place: str = "",
) -> Comment:
    """Says something on the request, a file, or a `place` in it such as `row 3` or `cell B7`."""
    request = get_request(db, request_id, lock=True)
    who = caller(db, settings, actor)
    check_may_view(who, request)
    by_reviewer = actor != request.author_id
    if by_reviewer:
        check_may_review(who, request)
    check_commentable(request)
    if file_id is not None:
        _file_of(db, request, file_id)
    row = Comment(
        request_id=request.id,
        turn=request.turn,
        file_id=file_id,
        place=place.strip()[:100],
        author_id=actor,
        by_reviewer=by_reviewer,
        text=said(text, "The comment"),
        at=clock.now(),
    )
    db.add(row)
    db.flush()
    details = {"comment": row.id, "file": file_id, "place": row.place}
    audit.record(db, Act.RequestCommented, actor=actor, subject=f"request:{request.id}", details=details)
    return row


def _file_of(db: Session, request: ReleaseRequest, file_id: int) -> RequestFile:
    file = db.get(RequestFile, file_id)
    if file is None or file.request_id != request.id or file.removed_at is not None:
        raise NotFound(f"There is no such file in {request.id}.")
    return file
