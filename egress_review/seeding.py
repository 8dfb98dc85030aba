"""Calibration: known-unsafe requests put into the queue, and how reviewers do on them and on real ones.

A seeded request looks like any other to reviewers, and can never be released: the gate, the maker of releases and the
decision each refuse it by the table `seeded_requests`. Only lead stewards see the figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from access_control import clock
from access_control.database import writing
from access_control.settings import Settings
from egress_review import canonical_forms, checking
from egress_review.errors import Invalid, NotPermitted
from egress_review.models import ReleaseRequest, RequestFile, SeededRequest, Vote
from egress_review.names import check_distinct, check_name
from egress_review.permissions import caller, check_may_calibrate, check_may_draft
from egress_review.records import advance, new_id, said
from egress_review.standing import basis_of
from egress_review.states import Step
from egress_review.store import Blob, Store
from egress_review.submission import Checker, Rewriter, run_checks
from egress_review.voting import Verdict


@dataclass(frozen=True)
class ReviewerFigures:
    """One reviewer: files voted on, of seeded files how many were approved (missed), median seconds a file."""

    reviewer: str
    files: int
    seeded: int
    missed: int
    seconds: float


@dataclass(frozen=True)
class Calibration:
    """How the reviewers of the lead steward's owners do. `agreement` is None where no two voted on the same file.

    `agreement`: of all pairs of votes on the same file, the share that agree on approve or not. `kappa`: the same
    beyond chance (Cohen's kappa over all pairs), None where chance alone explains everything.
    """

    reviewers: list[ReviewerFigures]
    seeded: int
    missed: int
    pairs: int
    agreement: float | None
    kappa: float | None


def seed(
    engine: Engine,
    settings: Settings,
    *,
    project_id: str,
    as_author: str,
    title: str,
    purpose: str,
    files: Mapping[str, tuple[bytes, str]],
    why_unsafe: str,
    actor: str,
    checker: Checker = checking.check_files,
    rewriter: Rewriter = canonical_forms.rewrite,
) -> str:
    """Puts known-unsafe files (name -> bytes, context) into the queue in the name of a member, who never sees it.

    Returns the request's id. By a lead steward of data that the member had mounted. The audit log tells the truth: who
    seeded it, and that it is seeded.
    """
    if not files:
        raise Invalid("A seeded request needs a file.")
    check_distinct(files)
    store = Store(settings.store)
    with writing(engine) as db:
        owners = set(check_may_calibrate(caller(db, settings, actor)))
        check_may_draft(caller(db, settings, as_author), project_id)
        now = clock.now()
        request = ReleaseRequest(
            id=new_id(db, ReleaseRequest, "REQ"),
            project_id=project_id,
            author_id=as_author,
            title=said(title, "The title")[:200],
            purpose=said(purpose, "The purpose"),
            created_at=now,
            submitted_at=now,
        )
        basis = basis_of(db, settings, request)
        if basis.owners and not owners & set(basis.owners):
            raise NotPermitted(f"You lead no stewards of the data in {project_id}. One of theirs has to seed it.")
        request.mounts, request.tier, request.owners = basis.mounts, basis.tier, basis.owners
        request.reviewers, request.profile = basis.reviewers, basis.profile
        db.add(request)
        db.flush()
        db.add(
            SeededRequest(
                request_id=request.id, seeded_by=actor, why_unsafe=said(why_unsafe, "Why it is unsafe"), at=now
            )
        )
        for name, (data, context) in files.items():
            blob: Blob = store.put([data])
            db.add(
                RequestFile(
                    request_id=request.id,
                    turn=1,
                    name=check_name(name),
                    context=said(context, "The context"),
                    sha256=blob.sha256,
                    size=blob.size,
                )
            )
        db.flush()
        advance(db, request, Step.Submit, actor=actor, seeded=True, as_author=as_author, why_unsafe=why_unsafe)
        request_id = request.id
    run_checks(engine, settings, request_id, checker=checker, rewriter=rewriter)
    return request_id


def calibration(db: Session, settings: Settings, *, actor: str) -> Calibration:
    """Misses, agreement and time of the reviewers of the owners that `actor` leads; raises NotPermitted for anyone
    else.
    """
    owners = set(check_may_calibrate(caller(db, settings, actor)))
    seeded = set(db.scalars(select(SeededRequest.request_id)))
    last: dict[tuple[int, str], Vote] = {}
    for row in db.scalars(select(Vote).order_by(Vote.id)):
        if owners & set(row.sides):
            last[row.file_id, row.reviewer_id] = row
    votes = list(last.values())
    by_reviewer: defaultdict[str, list[Vote]] = defaultdict(list)
    for row in votes:
        by_reviewer[row.reviewer_id].append(row)
    figures = [
        ReviewerFigures(
            reviewer=reviewer,
            files=len(rows),
            seeded=sum(row.request_id in seeded for row in rows),
            missed=sum(row.request_id in seeded and row.verdict == Verdict.Approve for row in rows),
            seconds=float(median(row.seconds for row in rows)),
        )
        for reviewer, rows in sorted(by_reviewer.items())
    ]
    pairs, agreement, kappa = _agreement(votes)
    return Calibration(
        figures, sum(each.seeded for each in figures), sum(each.missed for each in figures), pairs, agreement, kappa
    )


def _agreement(votes: list[Vote]) -> tuple[int, float | None, float | None]:
    by_file: defaultdict[int, list[bool]] = defaultdict(list)
    for row in votes:
        by_file[row.file_id].append(row.verdict == Verdict.Approve)
    pairs = [
        (said_by[i], said_by[j])
        for said_by in by_file.values()
        for i in range(len(said_by))
        for j in range(i + 1, len(said_by))
    ]
    if not pairs:
        return 0, None, None
    observed = sum(one == other for one, other in pairs) / len(pairs)
    share = sum(one + other for one, other in pairs) / (2 * len(pairs))
    chance = share**2 + (1 - share) ** 2
    return len(pairs), observed, None if chance == 1 else (observed - chance) / (1 - chance)
