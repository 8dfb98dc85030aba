"""Renewal is offered before an agreement ends: a draft with the same terms, to be signed anew by every party."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import changes, clock
from access_control.agreements import draft_agreement
from access_control.errors import Invalid
from access_control.models import Agreement

OFFERED_DAYS = 30


@dataclass(frozen=True)
class Renewal:
    """An agreement that ends soon: the days left, and the agreement that already follows it, if there is one."""

    agreement: Agreement
    days_left: int
    renewed_by: str | None


def renewals_due(db: Session, *, days: int = OFFERED_DAYS) -> list[Renewal]:
    """The active agreements that end within so many days, the soonest first."""
    today = clock.today()
    ending = select(Agreement).where(
        Agreement.state == "active", Agreement.until >= today, Agreement.until <= today + timedelta(days=days)
    )
    rows = db.scalars(ending.order_by(Agreement.until, Agreement.id))
    return [Renewal(row, (row.until - today).days, _follower(db, row)) for row in rows]


def renew_agreement(db: Session, agreement_id: str, *, until: date, actor: str) -> Agreement:
    """Drafts an agreement with the same terms that begins the day after this one ends, or today when that is over."""
    changes.queue(db)
    old = changes.get_agreement(db, agreement_id)
    if old.state not in {"active", "expired"}:
        raise Invalid(f"{agreement_id} is {old.state}: only an active or expired agreement is renewed.")
    if follower := _follower(db, old):
        raise Invalid(f"{agreement_id} is followed by {follower} already. Amend or sign that one.")
    return draft_agreement(
        db, title=old.title, project=old.project_id, parties=old.parties, renditions=old.renditions,
        purposes=old.purposes, regions=old.regions, start=max(old.until + timedelta(days=1), clock.today()),
        until=until, actor=actor, required_trainings=old.required_trainings, reviewers=old.reviewers,
        conditions=old.conditions,
    )  # fmt: skip


def _follower(db: Session, agreement: Agreement) -> str | None:
    later = select(Agreement).where(
        Agreement.project_id == agreement.project_id, Agreement.id != agreement.id,
        Agreement.until > agreement.until, Agreement.state.in_(("draft", "signed", "active")),
    )  # fmt: skip
    for other in db.scalars(later.order_by(Agreement.id)):
        if set(agreement.renditions) <= set(other.renditions):
            return other.id
    return None
