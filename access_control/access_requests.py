"""Requests for access: a researcher asks for a rendition, the owner's steward grants or refuses; a grant is an agreement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from access_control.models import AccessRequest, Agreement


@dataclass(frozen=True)
class Answer:
    """What became of a request: `streamlined` when an active agreement already covers it; `sentence` says so."""

    request: AccessRequest
    streamlined: bool
    sentence: str


def ask_access(db: Session, *, project: str, rendition: str, purpose: str, until: date, actor: str) -> Answer: ...
def grant_access(db: Session, request_id: int, *, actor: str, until: date | None = None, regions: list[str] | None = None, required_trainings: list[str] | None = None, reviewers: int = 1, conditions: str = "") -> Agreement: ...
def accept_access(db: Session, request_id: int, *, actor: str) -> Agreement: ...  # the project's lead signs for its home
def refuse_access(db: Session, request_id: int, *, reason: str, actor: str) -> AccessRequest: ...
def take_back(db: Session, request_id: int, *, actor: str) -> AccessRequest: ...
def waiting_for(db: Session, steward: str) -> list[AccessRequest]: ...  # asked, for data of the steward's owners
def awaiting_acceptance(db: Session, lead: str) -> list[AccessRequest]: ...
def requests_of(db: Session, person: str) -> list[AccessRequest]: ...
