"""Tiers and roles take two people: one admin proposes, another approves, and neither is the one who gains."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import changes, clock, people
from access_control.audit import Act
from access_control.errors import Invalid, NotFound, NotPermitted
from access_control.models import GrantProposal, Person


def propose_clearance(
    db: Session, person_id: str, *, level: int, start: date, until: date, source: str, actor: str,
    replace: bool = False,
) -> GrantProposal:  # fmt: skip
    """Proposes a clearance; `replace` ends those that overlap with it. In force once another admin approves."""
    _may_propose(db, actor, person_id)
    people.check_clearance(db, person_id, level, start=start, until=until, replace=replace)
    details = {
        "level": level, "start": start.isoformat(), "until": until.isoformat(), "source": changes.said(source),
        "replace": replace,
    }  # fmt: skip
    return _propose(db, "clearance", person_id, details, actor)


def propose_role(
    db: Session, person_id: str, *, role: str, domain: str, start: date, until: date, source: str, actor: str
) -> GrantProposal:
    """Proposes a role: membership of a project, stewardship of an owner's data, admin or auditor."""
    _may_propose(db, actor, person_id)
    people.check_role(db, person_id, role=role, domain=domain, start=start, until=until)
    details = {
        "role": role, "domain": domain, "start": start.isoformat(), "until": until.isoformat(),
        "source": changes.said(source),
    }  # fmt: skip
    return _propose(db, "role", person_id, details, actor)


def propose_reinstatement(db: Session, person_id: str, *, reason: str, actor: str) -> GrantProposal:
    """Proposes that a suspended person gets back what they had."""
    _may_propose(db, actor, person_id)
    if not changes.get_person(db, person_id).suspended:
        raise Invalid(f"{person_id} is not suspended: there is nothing to give back.")
    return _propose(db, "reinstatement", person_id, {"source": changes.said(reason)}, actor)


def approve_grant(db: Session, proposal_id: int, *, actor: str) -> GrantProposal:
    """Puts a proposal in force from today on at the earliest; refused to its proposer and to who gains by it."""
    proposal = _decide(db, proposal_id, actor, "approved")
    details, person_id, today = proposal.details, proposal.person_id, clock.today()
    source = f"{details['source']} (proposed by {proposal.proposed_by}, approved by {actor})"
    if proposal.kind == "reinstatement":
        person = changes.get_person(db, person_id)
        subject = f"person:{person_id}"
        changes.change(db, person, Act.PersonChanged, {"suspended": False}, actor=actor, subject=subject, reason=source)
        return proposal
    start = max(date.fromisoformat(details["start"]), today)
    until = date.fromisoformat(details["until"])
    if until < today:
        raise Invalid(f"Proposal {proposal_id} ended on {until}. Refuse it, and propose it anew with other dates.")
    if proposal.kind == "clearance":
        people.give_clearance(
            db, person_id, level=details["level"], start=start, until=until, source=source,
            accredited_by=proposal.proposed_by, actor=actor, replace=details["replace"],
        )  # fmt: skip
    else:
        people.give_role(
            db, person_id, role=details["role"], domain=details["domain"], start=start, until=until, source=source,
            actor=actor,
        )  # fmt: skip
    return proposal


def refuse_grant(db: Session, proposal_id: int, *, reason: str, actor: str) -> GrantProposal:
    """Refuses a proposal with a reason; its proposer may take it back this way too."""
    why = changes.said(reason)
    changes.require(db, actor, "administer", to="refuse a proposal")
    proposal = _open(db, proposal_id)
    _close(db, proposal, actor, "refused", why)
    return proposal


def open_proposals(db: Session) -> list[GrantProposal]:
    """The proposals that wait for a second admin, the oldest first."""
    found = select(GrantProposal).where(GrantProposal.state == "proposed").order_by(GrantProposal.id)
    return list(db.scalars(found))


def may_approve_grant(db: Session, proposal: GrantProposal, actor: str) -> bool:
    """Whether `approve_grant` would let this person approve."""
    try:
        _check_may_approve(db, proposal, actor)
    except NotPermitted:
        return False
    return True


def _may_propose(db: Session, actor: str, person_id: str) -> None:
    changes.require(db, actor, "administer", to="propose a tier or a role")
    changes.get_person(db, person_id)
    if actor == person_id:
        raise NotPermitted("You may not propose a tier or a role for yourself. Another admin can propose it.")


def _propose(db: Session, kind: str, person_id: str, details: dict[str, Any], actor: str) -> GrantProposal:
    proposal = GrantProposal(
        kind=kind, person_id=person_id, details=details, state="proposed", proposed_by=actor, proposed_at=clock.now()
    )
    db.add(proposal)
    db.flush()
    told = {"proposal": proposal.id, "kind": kind, **details}
    changes.note(db, Act.ClearanceProposed, actor=actor, subject=f"person:{person_id}", details=told)
    return proposal


def _open(db: Session, proposal_id: int) -> GrantProposal:
    changes.queue(db)
    proposal = db.get(GrantProposal, proposal_id)
    if proposal is None:
        raise NotFound(f"There is no proposal {proposal_id}. `enclave person proposals` shows those that wait.")
    if proposal.state != "proposed":
        raise Invalid(f"Proposal {proposal_id} was {proposal.state} by {proposal.decided_by} already.")
    return proposal


def _check_may_approve(db: Session, proposal: GrantProposal, actor: str) -> None:
    for concerned in (proposal.proposed_by, proposal.person_id):
        changes.require(db, actor, "administer", to="approve this proposal", author=concerned)
    proposer = db.get(Person, proposal.proposed_by)
    if proposer is not None and not changes.may(db, proposer.id, "administer"):
        raise NotPermitted(f"{proposer.id}, who proposed this, is no admin any more. Refuse it and propose it anew.")


def _decide(db: Session, proposal_id: int, actor: str, state: str) -> GrantProposal:
    proposal = _open(db, proposal_id)
    _check_may_approve(db, proposal, actor)
    _close(db, proposal, actor, state, "")
    return proposal


def _close(db: Session, proposal: GrantProposal, actor: str, state: str, reason: str) -> None:
    proposal.state, proposal.decided_by, proposal.decided_at = state, actor, clock.now()
    db.flush()
    told = {"proposal": proposal.id, "kind": proposal.kind, "state": state, "reason": reason}
    changes.note(db, Act.ClearanceProposed, actor=actor, subject=f"person:{proposal.person_id}", details=told)
