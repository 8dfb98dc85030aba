"""Requests for access: a researcher asks, the steward of the data's owner grants or refuses; a grant is an agreement.

The steward's grant drafts the agreement between the owner and the project's home, and signs it for the owner; the
project's lead accepts by signing for its home, and with that it is active. Where an active agreement covers what is
asked, the answer is given at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import changes, clock
from access_control.agreements import draft_agreement, owners_of, sign_agreement, withdraw_agreement
from access_control.audit import Act
from access_control.errors import Invalid, NotFound, NotPermitted
from access_control.models import AccessRequest, Agreement, Person, Role
from access_control.terms import label, term, uncovered

REQUEST_TRANSITIONS: dict[str, tuple[str, ...]] = {
    "asked": ("granted", "refused", "taken back"),
    "granted": (),
    "refused": (),
    "taken back": (),
}


@dataclass(frozen=True)
class Answer:
    """What became of a request: `streamlined` when an active agreement already covers it; `sentence` says so."""

    request: AccessRequest
    streamlined: bool
    sentence: str


def ask_access(db: Session, *, project: str, rendition: str, purpose: str, until: date, actor: str) -> Answer:
    """Asks for a rendition (`hiv/pseudonymised`) in a project of one's own, for one of the project's purposes.

    It tells the owner what the data is wanted for. A session serves all purposes of its project, and so does a grant.
    """
    row = changes.get_project(db, project)
    changes.get_person(db, actor)
    if not changes.is_member(db, actor, project):
        raise NotPermitted(f"You are not a member of {project}. An admin can propose you, at its lead's request.")
    if row.state == "closed":
        raise Invalid(f"{project} is closed: nothing can be asked for it.")
    wanted = changes.get_rendition(db, rendition)
    purpose_id = term(purpose).id
    if purpose_id not in row.purposes:
        own = ", ".join(f"{own} ({label(own)})" for own in row.purposes)
        raise Invalid(f"{purpose_id} ({label(purpose_id)}) is no purpose of {project}. Its purposes are {own}.")
    today = clock.today()
    if until < today:
        raise Invalid(f"The end, {until}, is past. Ask for access until today or a later day.")
    if until > row.until:
        raise Invalid(f"{project} ends on {row.until}. Ask for access until then at the latest.")
    changes.queue(db)
    waiting = select(AccessRequest).where(
        AccessRequest.project_id == project, AccessRequest.rendition_id == rendition, AccessRequest.state == "asked"
    )
    if earlier := db.scalars(waiting).first():
        raise Invalid(
            f"{earlier.person_id} has asked for {rendition} in {project} already: request {earlier.id} waits."
        )
    request = AccessRequest(
        person_id=actor, project_id=project, rendition_id=rendition, purpose=purpose_id, until=until, state="asked",
        asked_at=clock.now(),
    )  # fmt: skip
    db.add(request)
    db.flush()
    told = {"project": project, "rendition": rendition, "purpose": purpose_id, "until": until}
    changes.note(db, Act.AccessRequested, actor=actor, subject=f"access-request:{request.id}", details=told)
    covering = _covering(db, request)
    if covering is None:
        owner = changes.get_dataset(db, wanted.dataset_id).owner_id
        return Answer(request, streamlined=False, sentence=f"Asked. A steward of {owner} will grant or refuse it.")
    sentence = f"Granted at once: {covering.id} covers {rendition} in {project} until {covering.until}."
    _decide(db, request, "granted", actor="<agreement>", reason=sentence, agreement=covering)
    return Answer(request, streamlined=True, sentence=sentence)


def grant_access(
    db: Session, request_id: int, *, actor: str, until: date | None = None, regions: list[str] | None = None,
    required_trainings: list[str] | None = None, reviewers: int = 1, conditions: str = "",
) -> Agreement:  # fmt: skip
    """Grants a request as a steward of the data's owner: an agreement from today on, signed for the owner.

    It waits for `accept_access` by the project's lead, unless the owner is the project's home too. `until` may be
    earlier than asked; `regions` are the project's unless they are given.
    """
    request, owner = _asked(db, request_id)
    changes.require(
        db, actor, "steward", to=f"grant request {request_id}", owner=owner, project=request.project_id,
        author=request.person_id,
    )  # fmt: skip
    if until is not None and until > request.until:
        raise Invalid(f"Request {request_id} asks for access until {request.until}. Grant it until then at the latest.")
    project = changes.get_project(db, request.project_id)
    agreement = draft_agreement(
        db, title=f"{request.rendition_id} for {project.title}".replace("\n", " "), project=project.id,
        parties=sorted({owner, _home(db, project.id)}), renditions=[request.rendition_id],
        purposes=project.purposes, regions=regions or [project.region], start=clock.today(),
        until=until or request.until, actor=actor, required_trainings=required_trainings, reviewers=reviewers,
        conditions=conditions,
    )  # fmt: skip
    sign_agreement(db, agreement.id, party=owner, actor=actor)
    waits = "" if agreement.state == "active" else " It waits for the project's lead to accept it."
    _decide(db, request, "granted", actor=actor, reason=f"{agreement.id}.{waits}", agreement=agreement)
    return agreement


def accept_access(db: Session, request_id: int, *, actor: str) -> Agreement:
    """The project's lead accepts a grant: signs its agreement for the project's home, which makes it active."""
    request = get_request(db, request_id)
    if request.state != "granted" or request.agreement_id is None:
        raise Invalid(f"Request {request_id} is {request.state}: only a granted one is accepted.")
    person = changes.get_person(db, actor)
    return sign_agreement(db, request.agreement_id, party=person.affiliation, actor=actor)


def refuse_access(db: Session, request_id: int, *, reason: str, actor: str) -> AccessRequest:
    """Refuses a request as a steward of the data's owner; the reason is shown to who asked."""
    request, owner = _asked(db, request_id)
    changes.require(
        db, actor, "steward", to=f"refuse request {request_id}", owner=owner, project=request.project_id,
        author=request.person_id,
    )  # fmt: skip
    _decide(db, request, "refused", actor=actor, reason=changes.said(reason))
    return request


def take_back(db: Session, request_id: int, *, actor: str) -> AccessRequest:
    """Takes one's own request back; a lead of the project may too. A grant that waits for its acceptance falls away."""
    changes.queue(db)
    request = get_request(db, request_id)
    leads = changes.leads(db, actor, request.project_id)
    if actor != request.person_id and not leads:
        raise NotPermitted(
            f"Request {request_id} is {request.person_id}'s: they or a lead of the project take it back."
        )
    if request.state == "granted" and request.agreement_id and leads:
        agreement = changes.get_agreement(db, request.agreement_id)
        if agreement.state == "draft":
            withdraw_agreement(db, agreement.id, reason=f"request {request_id} was taken back", actor=actor)
            return request
    _decide(db, request, "taken back", actor=actor, reason="taken back")
    return request


def get_request(db: Session, request_id: int) -> AccessRequest:
    """The request of that number; raises NotFound."""
    request = db.get(AccessRequest, request_id)
    if request is None:
        raise NotFound(
            f"There is no request {request_id} for access. `enclave access list` shows those that there are."
        )
    return request


def waiting_for(db: Session, steward: str) -> list[AccessRequest]:
    """The requests that this person may grant or refuse today, the oldest first."""
    asked = select(AccessRequest).where(AccessRequest.state == "asked").order_by(AccessRequest.id)
    return [
        request
        for request in db.scalars(asked)
        if changes.may(
            db, steward, "steward", owner=_owner(db, request), project=request.project_id, author=request.person_id
        )
    ]


def awaiting_acceptance(db: Session, lead: str) -> list[AccessRequest]:
    """The granted requests whose agreement this person can accept for the project's home."""
    granted = (
        select(AccessRequest)
        .join(Agreement, Agreement.id == AccessRequest.agreement_id)
        .where(AccessRequest.state == "granted", Agreement.state == "draft")
        .order_by(AccessRequest.id)
    )
    domains = set(changes.roles_on(db, lead, "lead", clock.today()))
    person = db.get(Person, lead)
    return [
        request
        for request in db.scalars(granted)
        if person is not None
        and f"project:{request.project_id}" in domains
        and person.affiliation in changes.get_agreement(db, str(request.agreement_id)).parties
    ]


def requests_of(db: Session, person: str) -> list[AccessRequest]:
    """The requests of a person, and those of the projects that they lead, the newest first."""
    led = [domain.removeprefix("project:") for domain in changes.roles_on(db, person, "lead", clock.today())]
    mine = select(AccessRequest).where((AccessRequest.person_id == person) | AccessRequest.project_id.in_(led))
    return list(db.scalars(mine.order_by(AccessRequest.id.desc())))


def _asked(db: Session, request_id: int) -> tuple[AccessRequest, str]:
    changes.queue(db)
    request = get_request(db, request_id)
    if request.state != "asked":
        by = f" by {request.decided_by}" if request.decided_by else ""
        raise Invalid(f"Request {request_id} was {request.state}{by} already: {request.reason}")
    return request, _owner(db, request)


def _owner(db: Session, request: AccessRequest) -> str:
    return owners_of(db, [request.rendition_id])[0]


def _home(db: Session, project_id: str) -> str:
    """The organisation of the project's lead, who accepts for it."""
    today = clock.today()
    lead = (
        select(Person.affiliation)
        .join(Role, Role.person_id == Person.id)
        .where(Role.role == "lead", Role.domain == f"project:{project_id}", Role.start <= today, Role.until >= today)
        .order_by(Role.start, Person.id)
    )
    home = db.scalars(lead).first()
    if home is None:
        raise Invalid(f"{project_id} has no lead who could accept. An admin proposes one with `enclave person role`.")
    return home


def _covering(db: Session, request: AccessRequest) -> Agreement | None:
    today = clock.today()
    active = select(Agreement).where(
        Agreement.project_id == request.project_id, Agreement.state == "active", Agreement.start <= today,
        Agreement.until >= request.until,
    )  # fmt: skip
    project = changes.get_project(db, request.project_id)
    for agreement in db.scalars(active.order_by(Agreement.id)):
        if request.rendition_id in agreement.renditions and not uncovered(project.purposes, agreement.purposes):
            return agreement
    return None


def _decide(
    db: Session, request: AccessRequest, state: str, *, actor: str, reason: str, agreement: Agreement | None = None
) -> None:  # fmt: skip
    if state not in REQUEST_TRANSITIONS[request.state]:
        raise Invalid(f"Request {request.id} was {request.state} already: {request.reason}")
    request.state, request.reason = state, reason
    request.decided_by, request.decided_at = actor, clock.now()
    request.agreement_id = agreement.id if agreement else None
    db.flush()
    act = {"granted": Act.AccessGranted, "refused": Act.AccessRefused}.get(state, Act.AccessRequested)
    told = {"state": state, "reason": reason, "agreement": request.agreement_id}
    changes.note(db, act, actor=actor, subject=f"access-request:{request.id}", details=told)
