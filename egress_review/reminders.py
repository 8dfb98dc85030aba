"""Who is to be reminded of what, and what has waited so long that a lead steward should know. Computed, never
stored; `hub.notices` tells people of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import clock, models
from access_control.settings import Settings
from egress_review.models import ReleaseRequest
from egress_review.permissions import Caller, allowed, caller, check_may_review, is_lead
from egress_review.records import counted_votes, rows_of
from egress_review.states import OWNERS, Owner, State

WAITING = (State.ChangesAsked, *(state for state in State if OWNERS[state] not in {Owner.Author, Owner.Nobody}))

# Who acts, and who is told when they do not, or when there is none of them.
_DUTIES = {
    Owner.Reviewers: ("review", "lead", "administer"),
    Owner.Stewards: ("lead", "administer"),
    Owner.System: ("administer",),
}


@dataclass(frozen=True)
class Reminder:
    """A request that waits since `since`, `hours` by now, too long, for `people`; `kind` is remind, or escalate to who
    stands above those who have not acted.
    """

    kind: str
    request_id: str
    project_id: str
    turn: int
    state: State
    since: datetime
    hours: int
    people: list[str]
    sentence: str


def due(db: Session, settings: Settings, *, now: datetime | None = None) -> list[Reminder]:
    """The reminders that hold at `now`, the longest waiting first.

    After `egress.remind_hours` whoever has to act is named, after `egress.escalate_hours` the lead stewards of the
    data too. What nobody of them can do, and what the enclave itself does not get done, is told to the admins.
    """
    now = now or clock.now()
    rows = db.scalars(select(ReleaseRequest).where(ReleaseRequest.state.in_([state.value for state in WAITING])))
    found = []
    for request in rows:
        since = _since(request)
        hours = int((now - since) / timedelta(hours=1))
        if hours < settings.egress.remind_hours:
            continue
        for kind, people in _told(db, settings, request, escalate=hours >= settings.egress.escalate_hours):
            state = State(request.state)
            names = ", ".join(people) or "nobody who could act"
            sentence = f"{request.id} ({request.title}) is {state} for {hours} hours and waits for {names}."
            found.append(
                Reminder(kind, request.id, request.project_id, request.turn, state, since, hours, people, sentence)
            )
    return sorted(found, key=lambda each: (-each.hours, each.request_id, each.kind))


def _told(db: Session, settings: Settings, request: ReleaseRequest, *, escalate: bool) -> list[tuple[str, list[str]]]:
    """(kind, people) of what is due for a request that has waited long enough to be reminded of."""
    owner = OWNERS[State(request.state)]
    if owner is Owner.Author:
        return [("remind", [request.author_id])]
    duties = _DUTIES[owner]
    there = [(duty, people) for duty in duties if (people := people_who(db, settings, request, duty))]
    if not there:
        return [("escalate", [])]
    told = [("remind" if there[0][0] == duties[0] else "escalate", there[0][1])]
    return [*told, ("escalate", there[1][1])] if escalate and len(there) > 1 else told


def people_who(db: Session, settings: Settings, request: ReleaseRequest, duty: str) -> list[str]:
    """Who can `review` the request and has not voted on all of it, who can `lead` those, or who can `administer`."""
    held = db.scalars(select(models.Role.person_id).where(models.Role.role.not_in(("researcher", "lead"))).distinct())
    voted = _done(db, request) if duty == "review" else set()
    return [person for person in sorted(set(held) - voted) if _has(caller(db, settings, person), request, duty)]


def _has(who: Caller, request: ReleaseRequest, duty: str) -> bool:
    match duty:
        case "review":
            return allowed(check_may_review, who, request)
        case "lead":
            return is_lead(who, request)
        case _:
            return who.may("administer", request=request)


def _done(db: Session, request: ReleaseRequest) -> set[str]:
    """Who has voted on every file of the turn: nothing waits for them."""
    said = [{vote.reviewer_id for vote in counted_votes(db, file)} for file in rows_of(db, request, request.turn)]
    return set.intersection(*said) if said else set()


def _since(request: ReleaseRequest) -> datetime:
    """Since when the request is as it is; reviewers wait since it was queued, also when it was frozen in between."""
    moved = request.queued_at if State(request.state) is State.InReview else request.moved_at
    return moved or request.queued_at or request.submitted_at or request.created_at
