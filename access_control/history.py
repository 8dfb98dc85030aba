"""What was: who could see a dataset at a time, who did, and how the policy changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from access_control.models import PolicyVersion


@dataclass(frozen=True)
class Could:
    """A person who could mount a rendition in a project at a time, and the row that allowed it."""

    person: str
    project: str
    rendition: str
    row_id: str
    agreement_id: str | None


@dataclass(frozen=True)
class Access:
    """A session that had a rendition of the dataset mounted."""

    session: str
    person: str
    project: str
    rendition: str
    version: int
    agreement_id: str | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class PolicyDiff:
    """Rows (column -> value) that came, that went, and those that changed (before, after)."""

    added: list[dict[str, str]]
    removed: list[dict[str, str]]
    changed: list[tuple[dict[str, str], dict[str, str]]]


def who_could(db: Session, dataset_id: str, at: datetime, *, data_root: Path) -> list[Could]: ...
def accesses(db: Session, dataset_id: str, *, since: datetime | None = None, until: datetime | None = None) -> list[Access]: ...
def versions(db: Session) -> list[PolicyVersion]: ...
def policy_diff(db: Session, a: int, b: int) -> PolicyDiff: ...
