"""People and organisations: who they are, their tier, trainings and roles.

What takes access away is done by one admin, at once. What gives a tier or a role goes through `access_control.grants`:
one admin proposes, another approves, and neither is the person concerned. `<setup>` (the first installation, from the
command line) sets them directly.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import changes, clock
from access_control.audit import Act
from access_control.changes import SETUP
from access_control.errors import Invalid, NotFound, NotPermitted
from access_control.models import Clearance, Organisation, Person, Role, Training

ROLES: dict[str, str] = {
    "researcher": "project",
    "lead": "project",
    "steward": "owner",
    "lead-steward": "owner",
    "admin": "*",
    "auditor": "*",
}


def add_organisation(db: Session, *, id: str, title: str, region: str, actor: str) -> Organisation:  # noqa: A002
    """Adds a party: an owner of data or a home of researchers. Raises Invalid when the id is taken."""
    changes.require(db, actor, "administer", to="add an organisation")
    changes.slug(id, "an organisation")
    if db.get(Organisation, id) is not None:
        raise Invalid(f"There is an organisation '{id}' already. Choose another id.")
    row = Organisation(id=id, title=title, region=changes.word(region, "region"))
    changes.add(db, row, Act.PersonChanged, actor=actor, subject=f"organisation:{id}", change="added")
    return row


def add_person(
    db: Session, *, id: str, name: str, email: str, affiliation: str, region: str, actor: str,  # noqa: A002
    subject: str | None = None,
) -> Person:  # fmt: skip
    """Adds a person of an organisation; `subject` is the login provider's own name for them, bound at the first login
    when it isn't given. The person sees nothing until clearance and a role are granted.
    """
    changes.require(db, actor, "administer", to="add a person")
    changes.slug(id, "a person")
    changes.get_organisation(db, affiliation)
    if db.get(Person, id) is not None:
        raise Invalid(f"There is a person '{id}' already. Choose another id; ids are never used again.")
    row = Person(
        id=id, name=name, email=email, affiliation=affiliation, region=changes.word(region, "region"), subject=subject,
        suspended=False,
    )  # fmt: skip
    changes.add(db, row, Act.PersonChanged, actor=actor, subject=f"person:{id}", change="added")
    return row


def change_person(
    db: Session, person_id: str, *, actor: str, reason: str, name: str | None = None, email: str | None = None,
    affiliation: str | None = None, region: str | None = None,
) -> Person:  # fmt: skip
    """Changes what is known of a person; nobody changes their own affiliation or region, for these give access."""
    changes.require(db, actor, "administer", to="change what is known of a person")
    person = changes.get_person(db, person_id)
    if actor == person_id:
        raise NotPermitted("You may not change your own record. Another admin can do it.")
    values: dict[str, Any] = {"name": name, "email": email, "affiliation": affiliation, "region": region}
    values = {key: value for key, value in values.items() if value is not None}
    if affiliation is not None:
        changes.get_organisation(db, affiliation)
    if region is not None:
        values["region"] = changes.word(region, "region")
    subject = f"person:{person_id}"
    changes.change(db, person, Act.PersonChanged, values, actor=actor, subject=subject, reason=changes.said(reason))
    return person


def suspend_person(db: Session, person_id: str, *, reason: str, actor: str) -> Person:
    """Takes everything away from a person at once, by one admin; `grants.propose_reinstatement` gives it back."""
    changes.require(db, actor, "administer", to="suspend a person")
    person = changes.get_person(db, person_id)
    values = {"suspended": True}
    subject = f"person:{person_id}"
    changes.change(db, person, Act.PersonChanged, values, actor=actor, subject=subject, reason=changes.said(reason))
    return person


def record_training(
    db: Session, person_id: str, *, course: str, start: date, until: date, source: str, actor: str
) -> Training:
    """Records that a person passed a course, with where that is written; an admin does it, never for themselves."""
    changes.require(db, actor, "administer", to="record a training")
    changes.get_person(db, person_id)
    if actor == person_id:
        raise NotPermitted("You may not record your own training. Another admin can do it.")
    changes.dates(start, until, f"The training '{course}'")
    row = Training(
        person_id=person_id,
        course=changes.slug(course, "a course"),
        start=start,
        until=until,
        source=changes.said(source),
    )
    changes.add(db, row, Act.TrainingRecorded, actor=actor, subject=f"person:{person_id}")
    return row


def withdraw_training(db: Session, training_id: int, *, reason: str, actor: str) -> None:
    """Takes a training record away that should not have been made; what it opened closes at once."""
    changes.require(db, actor, "administer", to="withdraw a training record")
    row = db.get(Training, training_id)
    if row is None:
        raise NotFound(f"There is no training record {training_id}. `enclave person show PERSON` lists them.")
    subject = f"person:{row.person_id}"
    changes.remove(db, row, Act.TrainingRecorded, actor=actor, subject=subject, reason=changes.said(reason))


def check_clearance(
    db: Session, person_id: str, level: int, *, start: date, until: date, replace: bool = False
) -> None:
    """Raises Invalid when a clearance can't be given: no tier, wrong dates, overlaps another of theirs."""
    changes.get_person(db, person_id)
    if level not in range(5):
        raise Invalid(f"{level} is no tier. Clearance is 0 (open) to 4 (highly restricted).")
    changes.dates(start, until, "The clearance")
    if replace:
        return
    if other := next(iter(_overlapping(db, person_id, start, until)), None):
        raise Invalid(
            f"{person_id} has clearance {other.level} from {other.start} until {other.until}, and two that overlap are "
            "refused. Choose other dates, or ask for the new one to replace it (--replace)."
        )


def _overlapping(db: Session, person_id: str, start: date, until: date) -> list[Clearance]:
    found = select(Clearance).where(
        Clearance.person_id == person_id, Clearance.start <= until, Clearance.until >= start
    )
    return list(db.scalars(found.order_by(Clearance.start)))


def give_clearance(
    db: Session, person_id: str, *, level: int, start: date, until: date, source: str, accredited_by: str, actor: str,
    replace: bool,
) -> Clearance:  # fmt: skip
    """Writes a clearance, after `check_clearance`. With `replace` those that overlap end the day before it starts.

    Permission is the caller's to check: `set_clearance` and `grants.approve_grant` do.
    """
    changes.queue(db)
    check_clearance(db, person_id, level, start=start, until=until, replace=replace)
    subject = f"person:{person_id}"
    for other in _overlapping(db, person_id, start, until):
        if other.start < start:
            ended = {"until": start - timedelta(days=1)}
            changes.change(db, other, Act.ClearanceSet, ended, actor=actor, subject=subject, reason="replaced")
        else:
            changes.remove(db, other, Act.ClearanceSet, actor=actor, subject=subject, reason="replaced")
    row = Clearance(
        person_id=person_id, level=level, start=start, until=until, accredited_by=accredited_by,
        source=changes.said(source),
    )  # fmt: skip
    changes.add(db, row, Act.ClearanceSet, actor=actor, subject=subject)
    return row


def set_clearance(
    db: Session, person_id: str, *, level: int, start: date, until: date, source: str, actor: str = SETUP,
    replace: bool = False,
) -> Clearance:  # fmt: skip
    """Sets a clearance directly: only the first installation does; admins use `grants.propose_clearance`."""
    if actor != SETUP:
        raise NotPermitted("A clearance takes two admins: propose it, and another one approves.")
    return give_clearance(
        db, person_id, level=level, start=start, until=until, source=source, accredited_by=actor, actor=actor,
        replace=replace,
    )  # fmt: skip


def lower_clearance(db: Session, person_id: str, *, level: int, reason: str, actor: str) -> list[Clearance]:
    """Lowers a person's clearance from today on, by one admin; those that come later are lowered too.

    Returns the clearances from today on. Raises Invalid when nothing would be lowered.
    """
    changes.queue(db)
    changes.require(db, actor, "administer", to="lower a clearance")
    if level not in range(5):
        raise Invalid(f"{level} is no tier. Clearance is 0 (open) to 4 (highly restricted).")
    changes.get_person(db, person_id)
    today = clock.today()
    found = select(Clearance).where(Clearance.person_id == person_id, Clearance.until >= today, Clearance.level > level)
    rows = list(db.scalars(found))
    if not rows:
        raise Invalid(f"{person_id} has no clearance above {level} from today on: there is nothing to lower.")
    subject, why = f"person:{person_id}", changes.said(reason)
    left = []
    for row in rows:
        if row.start >= today:
            changes.change(db, row, Act.ClearanceSet, {"level": level}, actor=actor, subject=subject, reason=why)
            left.append(row)
            continue
        until = row.until
        ended = {"until": today - timedelta(days=1)}
        changes.change(db, row, Act.ClearanceSet, ended, actor=actor, subject=subject, reason=why)
        lower = Clearance(
            person_id=person_id, level=level, start=today, until=until, accredited_by=actor, source=f"lowered: {why}"
        )
        changes.add(db, lower, Act.ClearanceSet, actor=actor, subject=subject, reason=why)
        left.append(lower)
    return left


def check_role(db: Session, person_id: str, *, role: str, domain: str, start: date, until: date) -> None:
    """Raises Invalid or NotFound when a role can't be given: unknown, in the wrong kind of domain, or held already."""
    changes.get_person(db, person_id)
    if role not in ROLES:
        raise Invalid(f"'{role}' is no role. The roles are {', '.join(ROLES)}.")
    kind, _, name = domain.partition(":")
    if kind != ROLES[role] or (ROLES[role] == "*") == bool(name):
        shape = {"project": "project:<id>", "owner": "owner:<organisation>", "*": "*"}[ROLES[role]]
        raise Invalid(f"The role {role} is held in {shape}, not in '{domain}'.")
    if kind == "project":
        changes.get_project(db, name)
    if kind == "owner":
        changes.get_organisation(db, name)
    changes.dates(start, until, f"The role {role}")
    held = select(Role).where(
        Role.person_id == person_id, Role.role == role, Role.domain == domain, Role.start <= until, Role.until >= start
    )
    if other := db.scalars(held).first():
        raise Invalid(
            f"{person_id} is {role} in {domain} from {other.start} until {other.until} already. "
            "Choose other dates, or remove that role first."
        )


def give_role(
    db: Session, person_id: str, *, role: str, domain: str, start: date, until: date, source: str, actor: str
) -> Role:
    """Writes a role, after `check_role`. Permission is the caller's to check."""
    changes.queue(db)
    check_role(db, person_id, role=role, domain=domain, start=start, until=until)
    row = Role(person_id=person_id, role=role, domain=domain, start=start, until=until, source=changes.said(source))
    changes.add(db, row, Act.RoleGranted, actor=actor, subject=f"person:{person_id}")
    return row


def grant_role(
    db: Session, person_id: str, *, role: str, domain: str, start: date, until: date, source: str, actor: str = SETUP
) -> Role:
    """Grants a role directly: only the first installation does; admins use `grants.propose_role`."""
    if actor != SETUP:
        raise NotPermitted("A role takes two admins: propose it, and another one approves.")
    return give_role(db, person_id, role=role, domain=domain, start=start, until=until, source=source, actor=actor)


def remove_role(db: Session, person_id: str, *, role: str, domain: str, reason: str, actor: str) -> None:
    """Ends a role at once, by one admin, or by the person who holds it; what was held before today stays on record."""
    changes.queue(db)
    changes.get_person(db, person_id)
    if actor != person_id:
        changes.require(db, actor, "administer", to="remove a role")
    today = clock.today()
    held = select(Role).where(
        Role.person_id == person_id, Role.role == role, Role.domain == domain, Role.until >= today
    )
    rows = list(db.scalars(held))
    if not rows:
        raise NotFound(f"{person_id} is not {role} in {domain} from today on. `enclave person show {person_id}` tells.")
    subject, why = f"person:{person_id}", changes.said(reason)
    for row in rows:
        if row.start < today:
            ended = {"until": today - timedelta(days=1)}
            changes.change(db, row, Act.RoleRemoved, ended, actor=actor, subject=subject, reason=why)
        else:
            changes.remove(db, row, Act.RoleRemoved, actor=actor, subject=subject, reason=why)
