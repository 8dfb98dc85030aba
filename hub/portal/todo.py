"""What waits for a person, besides the queues of their duties: each thing one line that leads to where it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import access_requests, agreements, clock
from access_control.models import Agreement, Training
from access_control.renewals import renewals_due
from egress_review.models import Release
from egress_review.requests import requests_of
from egress_review.states import State
from hub.portal.context import Visitor

SOON = 30  # days before a training's end at which it is told


@dataclass(frozen=True)
class Todo:
    """A line of the first page: where it leads, what it is, and more about it."""

    path: str
    words: str
    more: str = ""


def todo_of(db: Session, visitor: Visitor) -> list[Todo]:
    """What the visitor has to do or to know, the most pressing kinds first."""
    return [*_releases(db, visitor), *_signatures(db, visitor), *_trainings(db, visitor), *_renewals(db, visitor)]


def _releases(db: Session, visitor: Visitor) -> list[Todo]:
    found = []
    for row in requests_of(db, visitor.id):
        state = State(row.state)
        if state is State.ChangesAsked:
            found.append(Todo(f"releases/{row.id}", f"Reviewers ask for changes: {row.title}", row.id))
        elif state is State.Draft:
            found.append(Todo(f"releases/{row.id}", f"A draft that is not submitted: {row.title}", row.id))
        elif state is State.Released and row.direction == "out":
            release = db.scalar(select(Release).where(Release.request_id == row.id))
            until = f"open until {release.expires_at:%Y-%m-%d}" if release else ""
            found.append(Todo(f"releases/{row.id}", f"Ready to download: {row.title}", until))
    return found


def _signatures(db: Session, visitor: Visitor) -> list[Todo]:
    found = [
        Todo(f"access/agreements/{row.id}", f"Read and sign {row.id}: {row.title}", f"for {', '.join(parties)}")
        for row in db.scalars(select(Agreement).where(Agreement.state == "draft").order_by(Agreement.id))
        if (parties := agreements.signable_by(db, row, visitor.id))
    ]
    waiting = len(access_requests.awaiting_acceptance(db, visitor.id))
    if waiting:
        found.append(Todo("access", f"Accept as lead: {waiting} granted request{'' if waiting == 1 else 's'} for data"))
    return found


def _trainings(db: Session, visitor: Visitor) -> list[Todo]:
    today = clock.today()
    newest: dict[str, Training] = {}
    for row in db.scalars(select(Training).where(Training.person_id == visitor.id).order_by(Training.until)):
        newest[row.course] = row
    found = []
    for row in newest.values():
        if row.until < today:
            words = f"Your training {row.course} ran out on {row.until}"
        elif row.until <= today + timedelta(days=SOON):
            words = f"Your training {row.course} ends on {row.until}"
        else:
            continue
        found.append(
            Todo("projects", words, "data that asks for it is closed without it; an admin records the new one")
        )
    return found


def _renewals(db: Session, visitor: Visitor) -> list[Todo]:
    mine = set(visitor.domains("lead", "researcher"))
    owners = set(visitor.domains("steward", "lead-steward"))
    return [
        Todo(
            f"access/agreements/{each.agreement.id}",
            f"{each.agreement.id} ends on {each.agreement.until}",
            "renew it, or access ends that day",
        )
        for each in renewals_due(db)
        if not each.renewed_by and (each.agreement.project_id in mine or owners & set(each.agreement.parties))
    ]
