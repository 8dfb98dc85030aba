"""The outputs that a project intends: declared by its lead or an admin, seen by members and by reviewers."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import changes, clock
from access_control.audit import Act
from access_control.errors import Invalid, NotFound
from hub.portal.models import IntendedOutput

LONGEST = 500
MOST = 100


def intended_outputs(db: Session, project_id: str) -> list[IntendedOutput]:
    """What the project intends now, in the order in which it was declared."""
    return list(
        db.scalars(
            select(IntendedOutput)
            .where(IntendedOutput.project_id == project_id, IntendedOutput.struck_at.is_(None))
            .order_by(IntendedOutput.id)
        )
    )


def may_declare(db: Session, project_id: str, person: str) -> bool:
    """Whether the person may change the list: the project's lead, or an admin."""
    return changes.leads(db, person, project_id) or changes.may(db, person, "administer")


def declare(db: Session, project_id: str, text: str, *, actor: str) -> IntendedOutput:
    """Adds an output to the list; raises NotPermitted for anyone but the project's lead and admins."""
    changes.queue(db)
    project = changes.get_project(db, project_id)
    _check(db, project_id, actor)
    if project.state == "closed":
        raise Invalid(f"{project_id} is closed: nothing more is intended.")
    said = " ".join(text.split())
    if not said or len(said) > LONGEST:
        raise Invalid(f"Say in up to {LONGEST} characters what is to be released, such as a table for a paper.")
    if len(intended_outputs(db, project_id)) >= MOST:
        raise Invalid(f"{project_id} intends {MOST} outputs already. Strike those that are done or given up.")
    row = IntendedOutput(project_id=project_id, text=said, declared_by=actor, declared_at=clock.now())
    db.add(row)
    db.flush()
    _note(db, row, "intended output declared", actor)
    return row


def strike(db: Session, project_id: str, output_id: int, *, actor: str) -> None:
    """Takes an output from the list; the record of it stays."""
    changes.queue(db)
    _check(db, project_id, actor)
    row = db.get(IntendedOutput, output_id)
    if row is None or row.project_id != project_id or row.struck_at is not None:
        raise NotFound(f"{project_id} has no such intended output.")
    row.struck_by, row.struck_at = actor, clock.now()
    _note(db, row, "intended output struck", actor)


def _check(db: Session, project_id: str, actor: str) -> None:
    if not changes.leads(db, actor, project_id):
        changes.require(db, actor, "administer", to=f"change what {project_id} intends to release")


def _note(db: Session, row: IntendedOutput, change: str, actor: str) -> None:
    details = {"change": change, "output": row.id, "text": row.text}
    changes.note(db, Act.ProjectChanged, actor=actor, subject=f"project:{row.project_id}", details=details)
