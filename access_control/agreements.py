"""Agreements: drafted, signed by each party, made true by rows of the policy, and ended.

A signature binds the SHA-256 of the agreement's text, so a change of the text voids it. When the last party has signed,
the agreement becomes active: one allow row a rendition. Suspending and withdrawing only take away, and one person of a
party does it at once.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from access_control import changes, clock
from access_control.agreement_text import agreement_digest, agreement_text
from access_control.audit import Act, AuditEntry
from access_control.changes import SETUP
from access_control.errors import Invalid, NotPermitted
from access_control.models import Agreement, AgreementSignature, Person, PolicyRow
from access_control.policy_versions import row_values, write_version
from access_control.terms import label, term_ids, uncovered
from access_control.validation import check_rows

__all__ = [
    "AGREEMENT_TRANSITIONS", "activate_agreement", "agreement_digest", "agreement_text", "amend_agreement",
    "draft_agreement", "expire_agreements", "owners_of", "resume_agreement", "sign_agreement", "signable_by",
    "signed_by", "suspend_agreement", "withdraw_agreement",
]  # fmt: skip

AGREEMENT_TRANSITIONS: dict[str, tuple[str, ...]] = {
    "draft": ("signed", "withdrawn"),
    "signed": ("draft", "active", "withdrawn"),
    "active": ("suspended", "expired", "withdrawn"),
    "suspended": ("active", "expired", "withdrawn"),
    "expired": (),
    "withdrawn": (),
}


def owners_of(db: Session, renditions: list[str]) -> list[str]:
    """The organisations that own the data of these renditions; raises NotFound for an unknown one."""
    datasets = {changes.get_rendition(db, rendition).dataset_id for rendition in renditions}
    return sorted({changes.get_dataset(db, dataset).owner_id for dataset in datasets})


def signed_by(db: Session, agreement: Agreement) -> dict[str, str]:
    """Party -> person, of the signatures under the present text."""
    found = select(AgreementSignature).where(
        AgreementSignature.agreement_id == agreement.id, AgreementSignature.digest == agreement_digest(agreement)
    )
    return {signature.party: signature.person_id for signature in db.scalars(found)}


def signable_by(db: Session, agreement: Agreement, person_id: str) -> list[str]:
    """The parties for which this person may sign the present text now."""
    if agreement.state != "draft":
        return []
    signed = signed_by(db, agreement)
    if person_id in signed.values():
        return []
    return [party for party in agreement.parties if party not in signed and _binds(db, agreement, party, person_id)]


def draft_agreement(
    db: Session, *, title: str, project: str, parties: list[str], renditions: list[str], purposes: list[str],
    regions: list[str], start: date, until: date, actor: str, required_trainings: list[str] | None = None,
    reviewers: int = 1, conditions: str = "",
) -> Agreement:  # fmt: skip
    """Drafts an agreement: by an admin, a steward of one of the parties, or a lead of the project.

    Each owner of the data must be among the parties (organisations' ids). `regions` are where people may sit, or `any`.
    """
    changes.queue(db)
    values = _checked(db, {
        "title": title, "project_id": project, "parties": parties, "renditions": renditions, "purposes": purposes,
        "regions": regions, "required_trainings": required_trainings or [], "reviewers": reviewers,
        "conditions": conditions, "start": start, "until": until,
    })  # fmt: skip
    _require_side(db, actor, values["parties"], project, to="draft this agreement")
    row = Agreement(id=_next_id(db), state="draft", **values)
    subject = f"agreement:{row.id}"
    changes.add(db, row, Act.AgreementChanged, actor=actor, subject=subject, digest=agreement_digest(row))
    return row


def amend_agreement(
    db: Session, agreement_id: str, *, actor: str, title: str | None = None, parties: list[str] | None = None,
    renditions: list[str] | None = None, purposes: list[str] | None = None, regions: list[str] | None = None,
    required_trainings: list[str] | None = None, reviewers: int | None = None, conditions: str | None = None,
    start: date | None = None, until: date | None = None,
) -> Agreement:  # fmt: skip
    """Changes an agreement that isn't active yet; signatures under the old text no longer count."""
    changes.queue(db)
    agreement = changes.get_agreement(db, agreement_id)
    if agreement.state not in {"draft", "signed"}:
        raise Invalid(
            f"{agreement_id} is {agreement.state}: its text stands. Draft a new agreement, and withdraw this one when "
            "the new one is signed."
        )
    _require_side(db, actor, agreement.parties, agreement.project_id, to=f"amend {agreement_id}")
    given: dict[str, Any] = {
        "title": title, "parties": parties, "renditions": renditions, "purposes": purposes, "regions": regions,
        "required_trainings": required_trainings, "reviewers": reviewers, "conditions": conditions, "start": start,
        "until": until,
    }  # fmt: skip
    whole = {name: getattr(agreement, name) for name in given} | {"project_id": agreement.project_id}
    values = _checked(db, whole | {name: value for name, value in given.items() if value is not None})
    before = agreement_digest(agreement)
    changes.change(db, agreement, Act.AgreementChanged, values | {"state": "draft"}, actor=actor,
                   subject=f"agreement:{agreement_id}", digest_before=before)  # fmt: skip
    return agreement


def sign_agreement(
    db: Session, agreement_id: str, *, party: str, actor: str, digest: str | None = None, reason: str = ""
) -> Agreement:
    """Signs the present text for a party; the last signature makes the agreement active.

    For a party sign its stewards, as long as they have no part in the project; for a party that owns none of the data,
    the project's lead from there too. Nobody signs for two parties. `digest` is that of the text that was read: when it
    has changed since, nothing is signed. `<setup>` records signatures given on paper, with the `reason`.
    """
    changes.queue(db)
    agreement = changes.get_agreement(db, agreement_id)
    if agreement.state != "draft":
        raise Invalid(f"{agreement_id} is {agreement.state}: only a draft is signed.")
    if party not in agreement.parties:
        raise Invalid(f"'{party}' is no party of {agreement_id}. The parties are {', '.join(agreement.parties)}.")
    present = agreement_digest(agreement)
    if digest is not None and digest != present:
        raise Invalid(f"The text of {agreement_id} has changed since you read it. Read it again, then sign.")
    if agreement.until < clock.today():
        raise Invalid(f"{agreement_id} ended on {agreement.until}, before it was signed. Amend its dates first.")
    signed = signed_by(db, agreement)
    if party in signed:
        raise Invalid(f"{signed[party]} has signed {agreement_id} for {party} already.")
    if actor == SETUP:
        changes.said(reason)
    elif actor in signed.values():
        raise NotPermitted(f"You have signed {agreement_id} for another party. Someone else has to sign for {party}.")
    elif not _binds(db, agreement, party, actor):
        raise NotPermitted(
            f"You may not sign {agreement_id} for {party}. A steward of {party} who has no part in "
            f"{agreement.project_id} can; where {party} owns none of the data, the project's lead from {party} too."
        )
    row = AgreementSignature(agreement_id=agreement_id, party=party, person_id=actor, digest=present, at=clock.now())
    db.add(row)
    db.flush()
    told = {"party": party, "digest": present, "reason": reason}
    changes.note(db, Act.AgreementSigned, actor=actor, subject=f"agreement:{agreement_id}", details=told)
    if set(signed) | {party} >= set(agreement.parties):
        _move(db, agreement, "signed", actor=actor, reason="every party has signed")
        _open(db, agreement, actor=actor, reason="signed by every party")
    return agreement


def activate_agreement(db: Session, agreement_id: str, *, actor: str) -> Agreement:
    """Makes a signed agreement active that its last signature could not: an admin or a steward of a party does it."""
    changes.queue(db)
    agreement = changes.get_agreement(db, agreement_id)
    _require_side(db, actor, agreement.parties, None, to=f"activate {agreement_id}")
    if missing := set(agreement.parties) - set(signed_by(db, agreement)):
        raise Invalid(f"{agreement_id} lacks the signature of {', '.join(sorted(missing))} under its present text.")
    if agreement.state != "signed":
        raise Invalid(f"{agreement_id} is {agreement.state}: only a signed agreement is activated.")
    _open(db, agreement, actor=actor, reason="signed by every party")
    return agreement


def suspend_agreement(db: Session, agreement_id: str, *, reason: str, actor: str) -> Agreement:
    """Takes away at once what an active agreement gives: a steward of a party, or an admin, alone."""
    changes.queue(db)
    agreement = changes.get_agreement(db, agreement_id)
    side = _require_side(db, actor, agreement.parties, None, to=f"suspend {agreement_id}")
    _close(db, agreement, "suspended", actor=actor, reason=changes.said(reason), side=side)
    return agreement


def resume_agreement(db: Session, agreement_id: str, *, reason: str, actor: str) -> Agreement:
    """Makes a suspended agreement active again. The side that suspended it, a party or the admins, resumes it, by
    someone who has no part in the project.
    """
    changes.queue(db)
    agreement = changes.get_agreement(db, agreement_id)
    if agreement.state != "suspended":
        raise Invalid(f"{agreement_id} is {agreement.state}: only a suspended agreement is resumed.")
    side = _suspending_side(db, agreement_id)
    if side == "admin":
        changes.require(db, actor, "administer", to=f"resume {agreement_id}", project=agreement.project_id)
    else:
        changes.require(db, actor, "steward", to=f"resume {agreement_id}", owner=side, project=agreement.project_id)
    _open(db, agreement, actor=actor, reason=changes.said(reason))
    return agreement


def withdraw_agreement(db: Session, agreement_id: str, *, reason: str, actor: str) -> Agreement:
    """Ends an agreement for good, at once: a steward of a party or a lead of the project; a draft, an admin too."""
    changes.queue(db)
    agreement = changes.get_agreement(db, agreement_id)
    to = f"withdraw {agreement_id}"
    side = _require_side(db, actor, agreement.parties, agreement.project_id, to=to)
    if side == "admin" and actor != SETUP and agreement.state in {"active", "suspended"}:
        raise NotPermitted(f"You may not {to}: it is its parties' to end. You can suspend it at once.")
    _close(db, agreement, "withdrawn", actor=actor, reason=changes.said(reason), side=side)
    return agreement


def expire_agreements(db: Session, *, actor: str = "<warden>") -> list[str]:
    """Closes the agreements whose last day is over, and returns their ids; their rows have opened nothing since."""
    changes.queue(db)
    over = select(Agreement).where(Agreement.state.in_(("active", "suspended")), Agreement.until < clock.today())
    ended = list(db.scalars(over.order_by(Agreement.id)))
    for agreement in ended:
        _close(db, agreement, "expired", actor=actor, reason=f"its last day was {agreement.until}", side="")
    return [agreement.id for agreement in ended]


def _checked(db: Session, values: dict[str, Any]) -> dict[str, Any]:
    """The values of an agreement, as they are stored; raises Invalid or NotFound for the first that is wrong."""
    title = values["title"].strip()
    if not title or len(title.splitlines()) > 1:
        raise Invalid("An agreement needs a title of one line.")
    project = changes.get_project(db, values["project_id"])
    if project.state == "closed":
        raise Invalid(f"{project.id} is closed: no agreement can be made for it any more.")
    changes.dates(values["start"], values["until"], "The agreement")
    renditions, parties = sorted(set(values["renditions"])), sorted(set(values["parties"]))
    if not renditions:
        raise Invalid("An agreement is about at least one rendition, such as hiv/pseudonymised.")
    for party in parties:
        changes.get_organisation(db, party)
    if missing := [owner for owner in owners_of(db, renditions) if owner not in parties]:
        raise Invalid(f"{', '.join(missing)} owns data of this agreement, and has to be one of its parties.")
    regions = sorted({region if region == "any" else changes.word(region, "region") for region in values["regions"]})
    if not regions or ("any" in regions and len(regions) > 1):
        raise Invalid("Name the regions in which people may work with the data, such as EU and UK, or 'any' alone.")
    if values["reviewers"] not in range(1, 4):
        raise Invalid(f"{values['reviewers']} reviewers of each output cannot be asked for: choose 1, 2 or 3.")
    trainings = sorted({changes.slug(course, "a course") for course in values["required_trainings"]})
    purposes = term_ids(values["purposes"])
    if beyond := uncovered(project.purposes, purposes):
        named = ", ".join(f"{one} ({label(one)})" for one in beyond)
        raise Invalid(
            f"{project.id} has the purpose {named} besides, and a session serves every purpose of its project: the "
            "agreement would open nothing. Agree on that purpose too, or give it a project of its own."
        )
    return values | {
        "title": title, "parties": parties, "renditions": renditions, "purposes": purposes,
        "regions": regions, "required_trainings": trainings, "conditions": values["conditions"].strip(),
    }  # fmt: skip


def _binds(db: Session, agreement: Agreement, party: str, person_id: str) -> bool:
    """Whether the person's signature binds the party."""
    if changes.may(db, person_id, "steward", owner=party, project=agreement.project_id):
        return True
    person = db.get(Person, person_id)
    if person is None or person.affiliation != party or party in owners_of(db, agreement.renditions):
        return False
    return changes.leads(db, person_id, agreement.project_id)


def _require_side(db: Session, actor: str, parties: list[str], project: str | None, *, to: str) -> str:
    """The side for which the actor acts: a party whose steward they are, `admin`, or `lead` of the project where it is
    given. Raises NotPermitted for anyone else.
    """
    for party in parties:
        if actor != SETUP and changes.may(db, actor, "steward", owner=party):
            return party
    if changes.may(db, actor, "administer"):
        return "admin"
    if project is not None and changes.leads(db, actor, project):
        return "lead"
    raise NotPermitted(f"You may not {to}. A steward of {' or '.join(parties)} can, or an admin.")


def _move(db: Session, agreement: Agreement, state: str, *, actor: str, reason: str, side: str = "") -> None:
    if state not in AGREEMENT_TRANSITIONS[agreement.state]:
        onward = ", ".join(AGREEMENT_TRANSITIONS[agreement.state]) or "nothing: it is the end"
        raise Invalid(f"{agreement.id} is {agreement.state} and cannot become {state}; it can become {onward}.")
    act = Act.AgreementWithdrawn if state == "withdrawn" else Act.AgreementChanged
    told = {"reason": reason, **({"side": side} if side else {})}
    changes.change(db, agreement, act, {"state": state}, actor=actor, subject=f"agreement:{agreement.id}", **told)


def _open(db: Session, agreement: Agreement, *, actor: str, reason: str) -> None:
    """Makes the agreement active: its rows, a new version of the policy."""
    if agreement.until < clock.today():
        raise Invalid(f"{agreement.id} ended on {agreement.until}: it opens nothing any more. Draft its renewal.")
    rows = [
        PolicyRow(
            id=f"{agreement.id}.{number}", eft="allow", role="researcher", project=f"project:{agreement.project_id}",
            data=f"data:{rendition}", act="mount", purpose="|".join(agreement.purposes),
            region="|".join(agreement.regions), start=agreement.start, until=agreement.until,
            training="|".join(agreement.required_trainings) or "any", agreement_id=agreement.id,
        )
        for number, rendition in enumerate(agreement.renditions, start=1)
    ]  # fmt: skip
    if errors := check_rows([row_values(row) for row in rows]):
        raise Invalid("\n".join(errors))
    _move(db, agreement, "active", actor=actor, reason=reason)
    db.add_all(rows)
    write_version(db, reason=f"{agreement.id}: {reason}", proposed_by=actor, approved_by=None)


def _close(db: Session, agreement: Agreement, state: str, *, actor: str, reason: str, side: str) -> None:
    """Moves the agreement and takes its rows out of the policy."""
    _move(db, agreement, state, actor=actor, reason=reason, side=side)
    rows = list(db.scalars(select(PolicyRow).where(PolicyRow.agreement_id == agreement.id)))
    for row in rows:
        db.delete(row)
    if rows:
        write_version(db, reason=f"{agreement.id} {state}: {reason}", proposed_by=actor, approved_by=None)


def _suspending_side(db: Session, agreement_id: str) -> str:
    """Who suspended it last: a party, or `admin`. The audit log knows; where it does not, it is the admins'."""
    entries = select(AuditEntry.body).where(AuditEntry.body.contains(f'"subject":"agreement:{agreement_id}"'))
    for body in db.scalars(entries.order_by(AuditEntry.seq.desc())):
        details = json.loads(body)["details"]
        if ((details.get("fact") or {}).get("after") or {}).get("state") == "suspended":
            return str(details.get("side", "admin"))
    return "admin"


def _next_id(db: Session) -> str:
    last = db.scalars(select(Agreement.id).order_by(func.length(Agreement.id).desc(), Agreement.id.desc())).first()
    return f"AGR-{int(last.removeprefix('AGR-')) + 1 if last else 1:04d}"
