"""Facts are found, added, changed and taken away here: each change is audited with what was before, and counted.

What stood before and after goes into the audit entry, so that `access_control.history` can wind the facts back and
answer for the past. Names and addresses of people stay out of the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from access_control import audit, clock
from access_control.audit import Act
from access_control.errors import Invalid, NotFound, NotPermitted
from access_control.loading import read_change
from access_control.models import (
    Agreement,
    Clearance,
    Dataset,
    Organisation,
    Person,
    Project,
    Rendition,
    Role,
    Training,
    touch,
)
from access_control.snapshot import Snapshot, load_snapshot

SETUP = "<setup>"

Fact = Person | Organisation | Clearance | Training | Role | Project | Agreement

# The columns that can change a decision: these, and no others, are kept in the audit entry.
DECIDING: dict[str, tuple[str, ...]] = {
    "people": ("affiliation", "region", "suspended"),
    "organisations": ("region",),
    "clearances": ("person_id", "level", "start", "until", "accredited_by", "source"),
    "trainings": ("person_id", "course", "start", "until", "source"),
    "roles": ("person_id", "role", "domain", "start", "until", "source"),
    "projects": ("tier", "region", "purposes", "state", "start", "until"),
    "agreements": ("project_id", "parties", "renditions", "purposes", "regions", "required_trainings", "reviewers",
                   "start", "until", "state"),
}  # fmt: skip

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")
_via: ContextVar[str] = ContextVar("via", default="")
_Row = TypeVar("_Row", Person, Organisation, Project, Dataset, Rendition, Agreement)


@contextmanager
def acting_via(name: str) -> Iterator[None]:
    """Within it every audit entry made here says by which way it came, such as `command line of root`."""
    token = _via.set(name)
    try:
        yield
    finally:
        _via.reset(token)


def queue(db: Session) -> None:
    """Waits its turn among writers, until the transaction ends; to be called before reading what is then changed.

    SQLite's writers queue up already. It is the lock of the audit log, so that all take theirs in one order.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(7201)"))


def slug(name: str, what: str) -> str:
    """`name` when it can be an id; raises Invalid with the rule when it can't."""
    if not _SLUG.fullmatch(name):
        raise Invalid(
            f"'{name}' cannot be the id of {what}: use up to 63 small letters, digits and hyphens, "
            "beginning with a letter or digit."
        )
    return name


def word(name: str, what: str) -> str:
    """`name` when it can stand in a column of the policy, such as a region; raises Invalid when it can't."""
    if not _WORD.fullmatch(name) or name == "any":
        raise Invalid(f"'{name}' cannot be a {what}: use letters, digits and hyphens, such as EU or UK.")
    return name


def dates(start: date, until: date, what: str) -> None:
    """Raises Invalid when `what` ends before it starts."""
    if until < start:
        raise Invalid(f"{what} would end on {until}, before it starts on {start}. Give an end on or after the start.")


def said(reason: str) -> str:
    """The reason without blanks around it; raises Invalid when there is none."""
    if not reason.strip():
        raise Invalid("A reason is needed: it is kept in the audit log, and shown to those it concerns.")
    return reason.strip()


def _get(db: Session, kind: type[_Row], key: str, what: str, way_out: str) -> _Row:
    row = db.get(kind, key)
    if row is None:
        raise NotFound(f"There is no {what} '{key}'. {way_out}")
    return row


def get_person(db: Session, person_id: str) -> Person:
    """The person of that id; raises NotFound."""
    return _get(db, Person, person_id, "person", "`enclave person list` shows those that there are.")


def get_organisation(db: Session, organisation_id: str) -> Organisation:
    """The organisation of that id; raises NotFound."""
    return _get(db, Organisation, organisation_id, "organisation", "Add it with `enclave organisation add`.")


def get_project(db: Session, project_id: str) -> Project:
    """The project of that id; raises NotFound."""
    return _get(db, Project, project_id, "project", "`enclave project list` shows those that there are.")


def get_dataset(db: Session, dataset_id: str) -> Dataset:
    """The dataset of that id; raises NotFound."""
    return _get(db, Dataset, dataset_id, "dataset", "`enclave dataset list` shows those that there are.")


def get_rendition(db: Session, rendition_id: str) -> Rendition:
    """The rendition of that id, such as `hiv/pseudonymised`; raises NotFound."""
    way_out = "Write it as dataset/name; the catalogue shows the renditions of each dataset."
    return _get(db, Rendition, rendition_id, "rendition", way_out)


def get_agreement(db: Session, agreement_id: str) -> Agreement:
    """The agreement of that id, such as `AGR-0042`; raises NotFound."""
    return _get(db, Agreement, agreement_id, "agreement", "`enclave agreement list` shows those that there are.")


def may(
    db: Session, actor: str, duty: str, *, project: str | None = None, owner: str | None = None,
    author: str | None = None,
) -> bool:  # fmt: skip
    """Whether Casbin lets a person do a duty today; `<setup>` may do what an admin may, and no steward's duty."""
    return not _why_not(db, actor, duty, project=project, owner=owner, author=author)


def require(
    db: Session, actor: str, duty: str, *, to: str, project: str | None = None, owner: str | None = None,
    author: str | None = None,
) -> None:  # fmt: skip
    """Raises NotPermitted when `actor` may not do the duty today; `to` says what was tried: "add a person".

    With `author` or `project` the duty is refused to whoever is that author, or has been a member of that project.
    """
    # What the decision rests on must not change between it and the change that it allows.
    queue(db)
    if reason := _why_not(db, actor, duty, project=project, owner=owner, author=author):
        who = {"administer": "an admin", "steward": f"a steward of {owner}", "audit": "an auditor"}.get(duty, "someone")
        raise NotPermitted(f"You may not {to}: {reason} Ask {who} who isn't concerned.")


def _why_not(
    db: Session, actor: str, duty: str, *, project: str | None, owner: str | None, author: str | None
) -> str:  # fmt: skip
    if actor == SETUP:
        return "" if duty in {"administer", "audit"} else "the first installation has no say over an owner's data."
    if db.get(Person, actor) is None:
        return f"'{actor}' is nobody's id here."
    decision = _snapshot(db).may(actor, duty, clock.today(), project=project, owner=owner, author=author)
    return "" if decision.allowed else decision.reason


def _snapshot(db: Session) -> Snapshot:
    """The snapshot of this transaction, read again when something that can change a decision has changed since."""
    transaction, snapshot = db.info.get("duties", (None, None))
    if transaction is None or transaction is not db.get_transaction() or snapshot.change != read_change(db):
        db.flush()
        snapshot = load_snapshot(db, Path("/"))
        db.info["duties"] = (db.get_transaction(), snapshot)
    return cast(Snapshot, snapshot)


def roles_on(db: Session, person_id: str, role: str, day: date) -> list[str]:
    """The domains in which a person has a role on a day."""
    held = select(Role.domain).where(
        Role.person_id == person_id, Role.role == role, Role.start <= day, Role.until >= day
    )
    return sorted(set(db.scalars(held)))


def leads(db: Session, person_id: str, project_id: str) -> bool:
    """Whether the person leads the project today, and isn't suspended."""
    person = db.get(Person, person_id)
    if person is None or person.suspended:
        return False
    return f"project:{project_id}" in roles_on(db, person_id, "lead", clock.today())


def is_member(db: Session, person_id: str, project_id: str) -> bool:
    """Whether the person is researcher or lead of the project today, and isn't suspended."""
    person = db.get(Person, person_id)
    if person is None or person.suspended:
        return False
    domain = f"project:{project_id}"
    return any(domain in roles_on(db, person_id, role, clock.today()) for role in ("researcher", "lead"))


def note(db: Session, act: Act, *, actor: str, subject: str, details: dict[str, Any]) -> int:
    """Writes an audit entry, with the way by which it came when there is one to tell."""
    via = {"via": _via.get()} if _via.get() else {}
    return audit.record(db, act, actor=actor, subject=subject, details={**details, **via})


def add(db: Session, row: Fact, act: Act, *, actor: str, subject: str, **details: Any) -> None:
    """Adds a fact, with its audit entry."""
    db.add(row)
    db.flush()
    _entry(db, act, row, None, _kept(row), actor=actor, subject=subject, details=details)


def change(
    db: Session, row: Fact, act: Act, values: dict[str, Any], *, actor: str, subject: str, **details: Any
) -> None:
    """Changes a fact's columns to `values`, with its audit entry; of other columns it only tells the names."""
    before = _kept(row)
    for name, value in values.items():
        setattr(row, name, value)
    db.flush()
    after = _kept(row)
    moved = [name for name in after if after[name] != before[name]]
    if others := sorted(set(values) - set(after)):
        details["columns"] = others
    was, now = {name: before[name] for name in moved}, {name: after[name] for name in moved}
    _entry(db, act, row, was, now, actor=actor, subject=subject, details=details)


def remove(db: Session, row: Fact, act: Act, *, actor: str, subject: str, **details: Any) -> None:
    """Takes a fact away, with its audit entry."""
    before = _kept(row)
    db.delete(row)
    db.flush()
    _entry(db, act, row, before, None, actor=actor, subject=subject, details=details)


def _kept(row: Fact) -> dict[str, Any]:
    return {name: getattr(row, name) for name in DECIDING[row.__tablename__]}


def _entry(
    db: Session, act: Act, row: Fact, before: dict[str, Any] | None, after: dict[str, Any] | None, *, actor: str,
    subject: str, details: dict[str, Any],
) -> None:  # fmt: skip
    fact = {"table": row.__tablename__, "key": row.id, "before": before, "after": after}
    note(db, act, actor=actor, subject=subject, details={**details, "fact": fact})
    touch(db)
