"""Finding and moving the rows of a request: every change of state goes through `advance`, which audits it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from access_control import audit, clock
from access_control.audit import Act
from egress_review.errors import Invalid, NotFound
from egress_review.models import Release, ReleaseRequest, RequestFile, SeededRequest, Vote
from egress_review.policies import check_can
from egress_review.states import State, Step
from egress_review.voting import Ballot, Verdict

MAX_TEXT = 4000

ACTS: Mapping[Step, Act] = {
    Step.Submit: Act.RequestSubmitted,
    Step.Resubmit: Act.RequestSubmitted,
    Step.Check: Act.RequestChecked,
    Step.Queue: Act.RequestChecked,
    Step.AskChanges: Act.RequestChanged,
    Step.Approve: Act.RequestChanged,
    Step.ApprovePartly: Act.RequestChanged,
    Step.Reject: Act.RequestChanged,
    Step.Appeal: Act.RequestChanged,
    Step.Release: Act.ReleaseSigned,
    Step.Expire: Act.RequestChanged,
    Step.Withdraw: Act.RequestChanged,
    Step.Freeze: Act.RequestFrozen,
    Step.Thaw: Act.RequestChanged,
    Step.Revoke: Act.ReleaseRevoked,
}


def digest(value: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of `value`."""
    return hashlib.sha256(audit.canonical(value).encode()).hexdigest()


def get_request(db: Session, request_id: str, *, lock: bool = False) -> ReleaseRequest:
    """The request, locked against other writers when asked; raises NotFound."""
    request = db.get(ReleaseRequest, request_id, with_for_update=True if lock else None, populate_existing=lock)
    if request is None:
        raise NotFound(f"There is no request {request_id} that you may see.")
    return request


def get_release(db: Session, release_id: str) -> Release:
    """The release; raises NotFound."""
    release = db.get(Release, release_id)
    if release is None:
        raise NotFound(f"There is no release {release_id} that you may see.")
    return release


def new_id(db: Session, kind: type[ReleaseRequest | Release], prefix: str) -> str:
    """The next id such as `REQ-0042`, taken under a lock so that two writers never get the same."""
    if db.get_bind().dialect.name == "postgresql":
        # SQLite's writers queue up already.
        db.execute(text("SELECT pg_advisory_xact_lock(7202)"))
    count = db.scalar(select(func.count()).select_from(kind)) or 0  # no row is ever deleted
    return f"{prefix}-{count + 1:04d}"


def advance(db: Session, request: ReleaseRequest, step: Step, *, actor: str, **details: Any) -> State:
    """Takes the step, in the caller's transaction, and audits it; raises WrongState when it is not possible."""
    before, after = State(request.state), check_can(request, step)
    if step is Step.Freeze:
        request.frozen_from = before.value
    elif step is Step.Thaw:
        request.frozen_from = None
    request.state, request.moved_at = after.value, clock.now()
    if after in {State.Approved, State.PartlyApproved, State.Rejected}:
        request.decided_at = clock.now()
    if step in {Step.Queue, Step.Appeal}:
        request.queued_at = clock.now()
    audit.record(
        db,
        ACTS[step],
        actor=actor,
        subject=f"request:{request.id}",
        details={"step": step, "before": before, "after": after, "turn": request.turn, **details},
    )
    return after


def rows_of(db: Session, request: ReleaseRequest, turn: int) -> list[RequestFile]:
    """The files of a turn by name, without those taken out of a draft."""
    query = select(RequestFile).where(
        RequestFile.request_id == request.id, RequestFile.turn == turn, RequestFile.removed_at.is_(None)
    )
    return list(db.scalars(query.order_by(RequestFile.name)))


def counted_votes(db: Session, file: RequestFile) -> list[Vote]:
    """The votes that count for a file: each reviewer's latest since file, context and findings are as they are."""
    query = (
        select(Vote)
        .join(RequestFile, RequestFile.id == Vote.file_id)
        .where(
            Vote.request_id == file.request_id,
            RequestFile.name == file.name,
            Vote.turn >= file.since_turn,
            Vote.turn <= file.turn,
        )
        .order_by(Vote.id)
    )
    return list({vote.reviewer_id: vote for vote in db.scalars(query)}.values())


def ballots(votes: list[Vote]) -> list[Ballot]:
    """The votes as `voting` counts them."""
    return [Ballot(vote.reviewer_id, frozenset(vote.sides), Verdict(vote.verdict)) for vote in votes]


def seeded(db: Session, request_id: str) -> bool:
    """Whether the request was put into the queue to measure reviewers."""
    return db.get(SeededRequest, request_id) is not None


def copy_of(file: RequestFile, turn: int, *, since: int) -> RequestFile:
    """The file with all that was found in it, in another turn."""
    kept = (
        "request_id", "name", "context", "sha256", "size", "kind", "verdict", "findings", "facts", "findings_digest",
        "rules_version", "rewrite_sha256", "rewrite_size", "rewrite_name",
    )  # fmt: skip
    return RequestFile(turn=turn, since_turn=since, **{name: getattr(file, name) for name in kept})


def said(text: str, what: str) -> str:
    """`text` without blanks around it; raises Invalid when there is none, or too much."""
    text = text.strip()
    if not text or len(text) > MAX_TEXT:
        raise Invalid(f"{what} must be said in 1 to {MAX_TEXT} characters.")
    return text
