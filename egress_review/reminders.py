"""Who is to be reminded of what, and what has waited so long that a lead steward should know. Computed, never
stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import clock, models
from access_control.settings import Settings
from egress_review.models import ReleaseRequest
from egress_review.permissions import allowed, caller, check_may_review, is_lead
from egress_review.states import OWNERS, Owner, State

WAITING = (State.InReview, State.ChangesAsked, State.Frozen)


@dataclass(frozen=True)
class Reminder:
    """A request that has waited `hours` too long for `people`; `kind` is remind, or escalate to the lead stewards."""

    kind: str
    request_id: str
    state: State
    hours: int
    people: list[str]
    sentence: str


def due(db: Session, settings: Settings, *, now: datetime | None = None) -> list[Reminder]:
    """The reminders that hold at `now`, the longest waiting first.

    After `egress.remind_hours` whoever has to act is named, after `egress.escalate_hours` the lead stewards of the
    data too.
    """
    now = now or clock.now()
    rows = db.scalars(select(ReleaseRequest).where(ReleaseRequest.state.in_([state.value for state in WAITING])))
    found = []
    for request in rows:
        state = State(request.state)
        waited = now - _since(request)
        hours = int(waited / timedelta(hours=1))
        if hours < settings.egress.remind_hours:
            continue
        escalate = hours >= settings.egress.escalate_hours and OWNERS[state] is not Owner.Author
        if OWNERS[state] is Owner.Author:
            people = [request.author_id]
        else:
            people = people_who(db, settings, request, lead=escalate or state is State.Frozen)
        names = ", ".join(people) or "nobody who could act"
        sentence = f"{request.id} ({request.title}) is {state} for {hours} hours and waits for {names}."
        found.append(Reminder("escalate" if escalate else "remind", request.id, state, hours, people, sentence))
    return sorted(found, key=lambda each: (-each.hours, each.request_id))


def people_who(db: Session, settings: Settings, request: ReleaseRequest, *, lead: bool) -> list[str]:
    """The stewards who may review the request, or those who lead them."""
    held = db.scalars(select(models.Role.person_id).where(models.Role.domain.like("owner:%")).distinct())
    people = []
    for person in sorted(held):
        who = caller(db, settings, person)
        if is_lead(who, request) if lead else allowed(check_may_review, who, request):
            people.append(person)
    return people


def _since(request: ReleaseRequest) -> datetime:
    return request.queued_at or request.submitted_at or request.created_at
