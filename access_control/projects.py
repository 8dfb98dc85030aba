"""Projects: what they are for, their tier, and the states they pass through."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from access_control import changes, clock
from access_control.audit import Act
from access_control.errors import Invalid
from access_control.models import Project
from access_control.terms import term_ids

PROJECT_TRANSITIONS: dict[str, tuple[str, ...]] = {
    "proposed": ("active", "closed"),
    "active": ("suspended", "closed"),
    "suspended": ("active", "closed"),
    "closed": (),
}
REFERENCES: dict[str, str] = {
    "ethics_reference": "the ethics approval",
    "contract_reference": "the contract",
    "assessment_reference": "the data protection impact assessment",
}
REFERENCES_FROM_TIER = 2
_DECIDING = ("tier", "region", "purposes", "until")


def add_project(
    db: Session, *, id: str, title: str, tier: int, region: str, purposes: list[str], start: date, until: date,  # noqa: A002
    actor: str, description: str = "", ethics_reference: str = "", contract_reference: str = "",
    assessment_reference: str = "",
) -> Project:  # fmt: skip
    """Adds a project in the state `proposed`; it opens nothing until `set_project_state` makes it active."""
    changes.require(db, actor, "administer", to="add a project")
    changes.slug(id, "a project")
    if db.get(Project, id) is not None:
        raise Invalid(f"There is a project '{id}' already. Choose another id; ids are never used again.")
    _check_tier(tier)
    changes.dates(start, until, "The project")
    row = Project(
        id=id, title=title, description=description, tier=tier, region=changes.word(region, "region"),
        purposes=term_ids(purposes), ethics_reference=ethics_reference, contract_reference=contract_reference,
        assessment_reference=assessment_reference, state="proposed", start=start, until=until,
    )  # fmt: skip
    changes.add(db, row, Act.ProjectChanged, actor=actor, subject=f"project:{id}", change="added")
    return row


def change_project(
    db: Session, project_id: str, *, actor: str, reason: str, title: str | None = None, description: str | None = None,
    tier: int | None = None, region: str | None = None, purposes: list[str] | None = None, until: date | None = None,
    ethics_reference: str | None = None, contract_reference: str | None = None,
    assessment_reference: str | None = None,
) -> Project:  # fmt: skip
    """Changes a project. Tier, region, purposes and a later end decide access: they change only while it isn't active,
    and its (re)activation is then another admin's to decide.
    """
    changes.queue(db)
    project = changes.get_project(db, project_id)
    changes.require(db, actor, "administer", to=f"change {project_id}", project=project_id)
    if project.state == "closed":
        raise Invalid(f"{project_id} is closed, and stays as it was. Add a new project instead.")
    values: dict[str, Any] = {
        "title": title, "description": description, "tier": tier, "region": region, "purposes": purposes,
        "until": until, "ethics_reference": ethics_reference, "contract_reference": contract_reference,
        "assessment_reference": assessment_reference,
    }  # fmt: skip
    values = {name: value for name, value in values.items() if value is not None}
    if tier is not None:
        _check_tier(tier)
    if region is not None:
        changes.word(region, "region")
    if purposes is not None:
        values["purposes"] = term_ids(purposes)
    if until is not None:
        changes.dates(project.start, until, "The project")
    widening = [
        name for name in _DECIDING if name in values and not (name == "until" and values[name] <= project.until)
    ]
    if project.state == "active" and widening:
        raise Invalid(
            f"{project_id} is active, and its {', '.join(widening)} would decide access at once. Suspend it, "
            "change it, and let another admin activate it again."
        )
    after = [str(values.get(name, getattr(project, name))).strip() for name in REFERENCES]
    if project.state == "active" and project.tier >= REFERENCES_FROM_TIER and not all(after):
        raise Invalid(f"{project_id} is active and of tier {project.tier}: none of its references can be taken away.")
    changes.change(
        db, project, Act.ProjectChanged, values, actor=actor, subject=f"project:{project_id}",
        reason=changes.said(reason),
    )  # fmt: skip
    return project


def missing_references(project: Project) -> list[str]:
    """What keeps a project from being activated: references that its tier asks for and that aren't there."""
    if project.tier < REFERENCES_FROM_TIER:
        return []
    return [words for name, words in REFERENCES.items() if not getattr(project, name).strip()]


def set_project_state(db: Session, project_id: str, state: str, *, reason: str, actor: str) -> Project:
    """Moves a project along `PROJECT_TRANSITIONS`.

    Activation is an admin's who isn't a member. Suspending and closing only take away: an admin or the project's lead.
    """
    changes.queue(db)
    project = changes.get_project(db, project_id)
    if state not in PROJECT_TRANSITIONS:
        raise Invalid(f"'{state}' is no state of a project. The states are {', '.join(PROJECT_TRANSITIONS)}.")
    if state == "active":
        changes.require(db, actor, "administer", to=f"activate {project_id}", project=project_id)
    elif not changes.leads(db, actor, project_id):
        changes.require(db, actor, "administer", to=f"make {project_id} {state}")
    if state not in PROJECT_TRANSITIONS[project.state]:
        onward = ", ".join(PROJECT_TRANSITIONS[project.state]) or "nothing: it is the end"
        raise Invalid(f"{project_id} is {project.state} and cannot become {state}. From there it can become {onward}.")
    if state == "active":
        if missing := missing_references(project):
            raise Invalid(
                f"{project_id} is of tier {project.tier} and lacks the reference of {', '.join(missing)}. Record it "
                f"with `enclave project change {project_id}` first."
            )
        if project.until < clock.today():
            raise Invalid(f"{project_id} ended on {project.until}. Give it a later end first.")
    changes.change(
        db, project, Act.ProjectChanged, {"state": state}, actor=actor, subject=f"project:{project_id}",
        reason=changes.said(reason),
    )  # fmt: skip
    return project


def _check_tier(tier: int) -> None:
    if tier not in range(5):
        raise Invalid(f"{tier} is no tier. Tiers are 0 (open) to 4 (highly restricted).")
