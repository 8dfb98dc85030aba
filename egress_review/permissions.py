"""Who may do what with a request. In which state it is possible at all is said in `policies`.

Duties are decided by Casbin (`Snapshot.may`); here is only who stands in which relation to the request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import clock, models
from access_control.settings import Settings
from access_control.snapshot import Snapshot
from egress_review.errors import EgressError, NotFound, NotPermitted
from egress_review.models import ReleaseRequest, SeededRequest, Vote
from egress_review.standing import policy

_P = ParamSpec("_P")


@dataclass(frozen=True)
class Caller:
    """A person with all that decides what they may do: the open transaction, the settings and the policy in force."""

    db: Session
    settings: Settings
    policy: Snapshot
    person: str

    def may(self, act: str, *, owner: str | None = None, request: ReleaseRequest | None = None) -> bool:
        """Casbin's answer; with a `request` own work and own projects' work are refused."""
        return self.policy.may(
            self.person,
            act,
            clock.today(),
            owner=owner,
            project=request.project_id if request else None,
            author=request.author_id if request else None,
        ).allowed


def caller(db: Session, settings: Settings, person: str) -> Caller:
    """Who asks, in this transaction."""
    return Caller(db, settings, policy(db, settings), person)


def allowed(
    check: Callable[Concatenate[Caller, ReleaseRequest, _P], object],
    who: Caller,
    request: ReleaseRequest,
    *args: _P.args,
    **kwargs: _P.kwargs,
) -> bool:
    """Whether `check` would let it through: the twin of every `check_…` here."""
    try:
        check(who, request, *args, **kwargs)
    except EgressError:
        return False
    return True


def is_seeded(db: Session, request_id: str) -> bool:
    """Whether the request was put into the queue to measure reviewers."""
    return db.get(SeededRequest, request_id) is not None


def check_may_draft(who: Caller, project_id: str) -> None:
    """Raises NotPermitted unless the person may work in the project today."""
    decision = who.policy.may(who.person, "open", clock.today(), project=project_id)
    if not decision.allowed:
        raise NotPermitted(f"You may not make a request in {project_id}: {decision.reason}")


def check_is_author(who: Caller, request: ReleaseRequest) -> None:
    """Raises NotPermitted for anyone but the author, NotFound where the request is none of theirs to know of."""
    if who.person != request.author_id or is_seeded(who.db, request.id):
        check_may_view(who, request)
        raise NotPermitted(f"This request is {request.author_id}'s. Only they may do this.")


def organisations(who: Caller, request: ReleaseRequest) -> list[str]:
    """The owners who have a say in the request; where no data was ever mounted, all of them."""
    return list(request.owners) or sorted(who.db.scalars(select(models.Organisation.id)))


def sides_of(who: Caller, request: ReleaseRequest) -> list[str]:
    """The owners for whom the person may review this request, by Casbin; empty when for none."""
    return [owner for owner in organisations(who, request) if who.may("review", owner=owner, request=request)]


def check_may_review(who: Caller, request: ReleaseRequest) -> list[str]:
    """The sides for which the person may vote. Raises NotPermitted with the reason and who could."""
    if who.person == request.author_id:
        raise NotPermitted("You wrote this request. Another steward of its data has to review it.")
    sides = sides_of(who, request)
    if not sides:
        owners = organisations(who, request)
        reasons = [
            who.policy.may(
                who.person, "review", clock.today(), owner=owner, project=request.project_id, author=request.author_id
            ).reason
            for owner in owners[:1]
        ]
        whose = " or ".join(owners) or "its data"
        raise NotPermitted(
            f"You may not review {request.id}: {' '.join(reasons)} A steward of {whose} who has never been a member of "
            f"{request.project_id} can."
        )
    if request.appeal and who.person in earlier_reviewers(who.db, request):
        raise NotPermitted("You voted on this request before its appeal. Somebody who has not voted has to decide it.")
    return sides


def earlier_reviewers(db: Session, request: ReleaseRequest) -> set[str]:
    """Who voted on the request in the turns before the present one."""
    rows = db.scalars(select(Vote.reviewer_id).where(Vote.request_id == request.id, Vote.turn < request.turn))
    return set(rows)


def is_lead(who: Caller, request: ReleaseRequest) -> bool:
    """Whether the person leads the stewards of any owner of the request, and has no part in it."""
    return any(who.may("lead-review", owner=owner, request=request) for owner in organisations(who, request))


def check_may_view(who: Caller, request: ReleaseRequest) -> None:
    """Raises NotFound unless the person wrote the request, reviews it, leads its stewards, or administers or audits."""
    seeded = is_seeded(who.db, request.id)
    if who.person == request.author_id and not seeded:
        return
    if sides_of(who, request) or is_lead(who, request) or who.may("audit") or who.may("administer"):
        return
    raise NotFound(f"There is no request {request.id} that you may see.")


def check_may_hold(who: Caller, request: ReleaseRequest) -> None:
    """Raises NotPermitted unless the person may freeze or revoke: a steward of its data, their lead, or an admin."""
    if sides_of(who, request) or is_lead(who, request) or who.may("administer", request=request):
        return
    raise NotPermitted(f"Only a steward of the data in {request.id} or an admin may do this.")


def check_may_thaw(who: Caller, request: ReleaseRequest) -> None:
    """Raises NotPermitted unless the person leads the stewards of its data, or is an admin outside the project."""
    if is_lead(who, request) or who.may("administer", request=request):
        return
    raise NotPermitted(f"Only a lead steward of the data in {request.id} or an admin may thaw it.")


def lead_of(who: Caller) -> list[str]:
    """The owners whose stewards the person leads today."""
    owners = sorted(who.db.scalars(select(models.Organisation.id)))
    return [owner for owner in owners if who.may("lead-review", owner=owner)]


def check_may_calibrate(who: Caller) -> list[str]:
    """The owners whose stewards the person leads; raises NotPermitted for anyone but a lead steward."""
    owners = lead_of(who)
    if not owners:
        raise NotPermitted("Only a lead steward may seed requests and see how reviewers do.")
    return owners
