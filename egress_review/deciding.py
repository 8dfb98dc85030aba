"""From votes to a decision: the one place that ends a review, and the one that makes a release of what was approved."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from access_control import audit, clock
from access_control.audit import Act
from access_control.settings import Settings
from egress_review import canonical_forms, ledger_store
from egress_review.approvals import check_approved
from egress_review.errors import EgressError, Refused
from egress_review.models import Release, ReleaseFile, ReleaseRequest, RequestFile
from egress_review.records import advance, ballots, copy_of, counted_votes, new_id, rows_of, seeded
from egress_review.states import State, Step
from egress_review.store import Store
from egress_review.trusted_path import needed_for
from egress_review.voting import Outcome, Verdict, outcome, step_for


def outcome_of(db: Session, settings: Settings, request: ReleaseRequest, file: RequestFile) -> Outcome:
    """The outcome of a file by the votes that count."""
    return outcome(ballots(counted_votes(db, file)), needed_for(settings, request, file), request.owners)


def settle(db: Session, settings: Settings, request: ReleaseRequest) -> State:
    """Ends the review when every file has its outcome; approved files are released at once. Returns the state.

    A seeded request ends rejected, whatever was voted: it must never leave.
    """
    if State(request.state) is not State.InReview:
        return State(request.state)
    files = rows_of(db, request, request.turn)
    for file in files:
        verdict = outcome_of(db, settings, request, file).verdict
        file.outcome = verdict.value if verdict else ""
    step = step_for([Verdict(file.outcome) if file.outcome else None for file in files])
    if step is None:
        db.flush()
        return State.InReview
    outcomes = {file.name: file.outcome for file in files}
    if seeded(db, request.id):
        request.reason = "Put into the queue to measure reviewers: it holds known-unsafe files."
        return advance(db, request, Step.Reject, actor="<review>", outcomes=outcomes, seeded=True)
    advance(db, request, step, actor="<review>", outcomes=outcomes)
    if step is Step.AskChanges:
        for file in files:
            following = copy_of(file, request.turn + 1, since=request.turn + 1)
            if request.direction == "out":
                following.sha256, following.size = "", 0  # taken anew from the workspace
            following.verdict, following.findings, following.facts = "", [], {}
            db.add(following)
    if step in {Step.Approve, Step.ApprovePartly}:
        try:
            publish_ready(db, settings, request)
        except EgressError as error:
            request.reason = f"Approved, but not released yet: {error}"
            audit.record(
                db,
                Act.ReleaseRefused,
                actor="<review>",
                subject=f"request:{request.id}",
                details={"reason": str(error)},
            )
    db.flush()
    return State(request.state)


def publish_ready(db: Session, settings: Settings, request: ReleaseRequest) -> Release:
    """Makes the release of an approved request. Raises Refused, before anything is written, unless all of it
    verifies.
    """
    if seeded(db, request.id):
        raise Refused(f"{request.id} was put into the queue to measure reviewers. It never leaves.")
    store = Store(settings.store)
    files = [file for file in rows_of(db, request, request.turn) if file.outcome == Verdict.Approve]
    if not files:
        raise Refused(f"No file of {request.id} is approved.")
    signed: dict[str, list[str]] = {}
    for file in files:
        signed[file.name] = sorted(vote.reviewer_id for vote in check_approved(db, settings, request, file))
        store.verify(file.sha256)
        store.verify(leaving(request, file))
    now = clock.now()
    release = Release(
        id=new_id(db, Release, "REL"),
        request_id=request.id,
        turn=request.turn,
        at=now,
        expires_at=now + timedelta(days=settings.egress.download_days),
    )
    db.add(release)
    db.flush()
    for file in files:
        out = request.direction == "out"
        db.add(
            ReleaseFile(
                release_id=release.id,
                file_id=file.id,
                name=file.rewrite_name,
                original_sha256=file.sha256,
                sha256=leaving(request, file),
                size=file.rewrite_size if out else file.size,
                media_type=canonical_forms.media_type(file.kind) if out else "application/octet-stream",
            )
        )
        if out:
            ledger_store.enter(db, settings, release, request, file)
    request.reason = ""
    advance(db, request, Step.Release, actor="<gate>", release=release.id, signed_by=signed)
    db.flush()
    return release


def leaving(request: ReleaseRequest, file: RequestFile) -> str:
    """The hash of what leaves: the canonical rewrite; of an import, which goes the other way, the file as it came.

    Raises Refused for an outward file that has no canonical form.
    """
    if request.direction == "in":
        return file.sha256
    if not file.rewrite_sha256:
        raise Refused(f"{file.name} has no canonical form, so it cannot leave.")
    return file.rewrite_sha256
