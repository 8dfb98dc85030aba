"""Projects: what they are for, their tier, and the states they pass through."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from access_control.models import Project

PROJECT_TRANSITIONS: dict[str, tuple[str, ...]] = {
    "proposed": ("active", "closed"),
    "active": ("suspended", "closed"),
    "suspended": ("active", "closed"),
    "closed": (),
}


def add_project(db: Session, *, id: str, title: str, tier: int, region: str, purposes: list[str], start: date, until: date, actor: str, description: str = "", ethics_reference: str = "", contract_reference: str = "", assessment_reference: str = "") -> Project: ...
def change_project(db: Session, project_id: str, *, actor: str, reason: str, title: str | None = None, description: str | None = None, tier: int | None = None, region: str | None = None, purposes: list[str] | None = None, until: date | None = None, ethics_reference: str | None = None, contract_reference: str | None = None, assessment_reference: str | None = None) -> Project: ...
def set_project_state(db: Session, project_id: str, state: str, *, reason: str, actor: str) -> Project: ...
