"""What is due to be told, to whom, in which words. Nothing of it is data, and no file and no title is named in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import clock
from access_control.models import Agreement, Person, Role, Training
from access_control.renewals import OFFERED_DAYS, renewals_due
from access_control.settings import Settings
from egress_review import reminders

_DAY_HOURS = 48  # from here on an age is told in days


@dataclass(frozen=True)
class Due:
    """Something to tell `people`: `key` names it for good, `page` is where in the portal it is acted on."""

    key: str
    kind: str  # remind, escalate, agreement or training
    subject: str
    project_id: str
    page: str
    sentence: str
    people: tuple[str, ...]


def due(db: Session, settings: Settings) -> list[Due]:
    """All that is due now, requests first; suspended people are told nothing."""
    suspended = set(db.scalars(select(Person.id).where(Person.suspended)))
    found = [*_requests(db, settings), *_agreements(db), *_trainings(db)]
    kept = [(each, tuple(person for person in each.people if person not in suspended)) for each in found]
    return [
        Due(each.key, each.kind, each.subject, each.project_id, each.page, each.sentence, people)
        for each, people in kept
        if people
    ]


def due_for(db: Session, settings: Settings, person: str) -> list[Due]:
    """What concerns one person, for the portal's first page."""
    return [each for each in due(db, settings) if person in each.people]


def age(since: datetime, now: datetime) -> str:
    """Such as `49 hours` or `3 days`: whole ones, and hours below two days."""
    hours = max(int((now - since) / timedelta(hours=1)), 0)
    return f"{hours} hours" if hours < _DAY_HOURS else f"{hours // 24} days"


def _requests(db: Session, settings: Settings) -> Iterable[Due]:
    now = clock.now()
    for each in reminders.due(db, settings, now=now):
        long = age(each.since, now)
        if each.kind == "escalate":
            sentence = (
                f"{each.request_id} of project {each.project_id} waits for {long}, and those who should act have not."
            )
        else:
            sentence = f"{each.request_id} of project {each.project_id} waits for you for {long}."
        yield Due(
            key=f"{each.kind}:{each.request_id}:{each.turn}:{each.state}:{each.since.isoformat()}",
            kind=each.kind,
            subject=f"request:{each.request_id}",
            project_id=each.project_id,
            page=f"reviews/{each.request_id}",
            sentence=sentence,
            people=tuple(each.people),
        )


def _agreements(db: Session) -> Iterable[Due]:
    """Agreements that end soon and that nothing follows, to the project's lead and the parties' stewards."""
    today = clock.today()
    for each in renewals_due(db):
        if each.renewed_by is None:
            agreement = each.agreement
            yield Due(
                key=f"agreement:{agreement.id}:{agreement.until}",
                kind="agreement",
                subject=f"agreement:{agreement.id}",
                project_id=agreement.project_id,
                page=f"access/agreements/{agreement.id}",
                sentence=f"{agreement.id} of project {agreement.project_id} ends on {agreement.until}. "
                "Renew it in time, or what it opens closes.",
                people=_signers(db, agreement, today),
            )


def _signers(db: Session, agreement: Agreement, today: date) -> tuple[str, ...]:
    domains: dict[str, tuple[str, ...]] = {f"owner:{party}": ("steward", "lead-steward") for party in agreement.parties}
    domains[f"project:{agreement.project_id}"] = ("lead",)
    held = select(Role).where(Role.domain.in_(domains), Role.start <= today, Role.until >= today)
    return tuple(sorted({role.person_id for role in db.scalars(held) if role.role in domains[role.domain]}))


def _trainings(db: Session) -> Iterable[Due]:
    """Trainings that end soon and that nobody has taken anew, to whoever took them."""
    today = clock.today()
    last: dict[tuple[str, str], date] = {}
    for row in db.scalars(select(Training)):
        last[row.person_id, row.course] = max(row.until, last.get((row.person_id, row.course), row.until))
    for (person, course), until in sorted(last.items()):
        if today <= until <= today + timedelta(days=OFFERED_DAYS):
            yield Due(
                key=f"training:{course}:{until}",
                kind="training",
                subject=f"training:{course}",
                project_id="",
                page="",
                sentence=f"Your training {course} ends on {until}. Take it again in time, or what asks for it closes.",
                people=(person,),
            )
