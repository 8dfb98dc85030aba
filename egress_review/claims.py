"""Claims: a reviewer takes one of a request's places for some hours, so that two do not do the same work."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import audit, clock
from access_control.audit import Act
from access_control.settings import Settings
from egress_review.deciding import outcome_of
from egress_review.errors import NotFound, WrongState
from egress_review.models import Claim, ReleaseRequest, Vote
from egress_review.permissions import Caller, caller, check_may_review, sides_of
from egress_review.policies import check_votable
from egress_review.records import counted_votes, get_request, rows_of
from egress_review.trusted_path import needed_for

CLAIM_HOURS = 4


def active_claims(db: Session, request: ReleaseRequest) -> list[Claim]:
    """The claims that hold now, oldest first."""
    query = select(Claim).where(Claim.request_id == request.id, Claim.ended_at.is_(None), Claim.until > clock.now())
    return list(db.scalars(query.order_by(Claim.id)))


def voters(db: Session, request: ReleaseRequest) -> dict[str, set[str]]:
    """Who has a vote that counts on any file of the current turn, with the sides they spoke for."""
    found: dict[str, set[str]] = {}
    for file in rows_of(db, request, request.turn):
        for vote in counted_votes(db, file):
            found.setdefault(vote.reviewer_id, set()).update(vote.sides)
    return found


def finished(db: Session, request: ReleaseRequest) -> dict[str, set[str]]:
    """Who of them has a vote that counts on every file of the current turn."""
    files = rows_of(db, request, request.turn)
    said = [{vote.reviewer_id for vote in counted_votes(db, file)} for file in files]
    done = set.intersection(*said) if said else set()
    return {person: sides for person, sides in voters(db, request).items() if person in done}


def places(db: Session, settings: Settings, request: ReleaseRequest) -> int:
    """How many reviewers the request has room for: those that its files need, one more where the votes disagree."""
    files = rows_of(db, request, request.turn)
    most = max((needed_for(settings, request, file) for file in files), default=1)
    if any(outcome_of(db, settings, request, file).third for file in files):
        most = max(most, len(voters(db, request))) + 1
    return most


def check_may_take_place(who: Caller, request: ReleaseRequest) -> list[str]:
    """The sides for which the person may vote now; raises when all places are taken by others, saying until when.

    A place is held by a claim, and for good by whoever has voted on every file. Who has voted on some, perhaps in an
    earlier turn, and did not come back, keeps nobody from it.
    """
    check_votable(request)
    sides = check_may_review(who, request)
    taken = finished(who.db, request)
    claims = active_claims(who.db, request)
    if who.person in voters(who.db, request) or any(claim.reviewer_id == who.person for claim in claims):
        return sides
    for claim in claims:
        other = Caller(who.db, who.settings, who.policy, claim.reviewer_id)
        taken.setdefault(claim.reviewer_id, set()).update(sides_of(other, request))
    unheard = {side for side in request.owners if not any(side in spoken for spoken in taken.values())}
    if len(taken) >= places(who.db, who.settings, request) and not unheard & set(sides):
        until = f" until {min(claim.until for claim in claims):%H:%M} UTC" if claims else ""
        raise WrongState(f"{', '.join(sorted(taken))} have every place of {request.id}{until}. Take another request.")
    return sides


def take_place(db: Session, who: Caller, request: ReleaseRequest) -> Claim:
    """The person's claim, new or prolonged."""
    now = clock.now()
    until = now + timedelta(hours=CLAIM_HOURS)
    for claim in active_claims(db, request):
        if claim.reviewer_id == who.person:
            claim.until = until
            db.flush()
            return claim
    claim = Claim(request_id=request.id, reviewer_id=who.person, at=now, until=until)
    db.add(claim)
    db.flush()
    details = {"step": "claim", "until": until.isoformat()}
    audit.record(db, Act.RequestChanged, actor=who.person, subject=f"request:{request.id}", details=details)
    return claim


def claim(db: Session, settings: Settings, request_id: str, *, actor: str) -> Claim:
    """Takes one of the request's places for reviewers for some hours; claiming again prolongs it."""
    request = get_request(db, request_id, lock=True)
    who = caller(db, settings, actor)
    check_may_take_place(who, request)
    return take_place(db, who, request)


def unclaim(db: Session, settings: Settings, request_id: str, *, actor: str) -> None:
    """Gives the place back."""
    request = get_request(db, request_id, lock=True)
    check_may_review(caller(db, settings, actor), request)
    if not end_claim(db, request, actor):
        raise NotFound(f"You have no claim on {request_id}.")
    details = {"step": "unclaim"}
    audit.record(db, Act.RequestChanged, actor=actor, subject=f"request:{request.id}", details=details)


def end_claim(db: Session, request: ReleaseRequest, person: str) -> bool:
    """Ends the person's claim; whether there was one."""
    mine = [claim for claim in active_claims(db, request) if claim.reviewer_id == person]
    for each in mine:
        each.ended_at = clock.now()
    db.flush()
    return bool(mine)


def seconds_spent(db: Session, request: ReleaseRequest, person: str) -> int:
    """Seconds since the person's latest vote on the request, or else the claim; at most an hour, for lunch is no
    review.
    """
    marks = list(db.scalars(select(Vote.at).where(Vote.request_id == request.id, Vote.reviewer_id == person)))
    marks += list(db.scalars(select(Claim.at).where(Claim.request_id == request.id, Claim.reviewer_id == person)))
    return min(max(int((clock.now() - max(marks)).total_seconds()), 0), 3600) if marks else 0
