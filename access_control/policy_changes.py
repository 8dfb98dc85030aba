"""Changes of policy: validate, preview, approval by a second admin, in force; and the owner's withdrawal by one person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from access_control.models import PolicyProposal, PolicyRow, PolicyVersion


@dataclass(frozen=True)
class MountChange:
    """A rendition that a person gains or loses in a project, with the row that decides."""

    person: str
    project: str
    rendition: str
    row_id: str | None
    reason: str


@dataclass(frozen=True)
class Preview:
    """What a change would do today; `stopped` are running sessions that would lose a mount: (session, person, project)."""

    gains: list[MountChange]
    losses: list[MountChange]
    stopped: list[tuple[str, str, str]]


def read_changes(text: str) -> tuple[list[dict[str, Any]], list[str]]: ...  # CSV: change(add|remove),id,eft,role,...
def propose_policy(db: Session, *, add: list[dict[str, Any]], remove: list[str], reason: str, actor: str) -> PolicyProposal: ...
def preview_policy(db: Session, data_root: Path, *, add: list[dict[str, Any]], remove: list[str]) -> Preview: ...
def preview_proposal(db: Session, data_root: Path, proposal_id: int) -> Preview: ...
def approve_policy(db: Session, data_root: Path, proposal_id: int, *, actor: str) -> PolicyVersion: ...
def refuse_policy(db: Session, proposal_id: int, *, reason: str, actor: str) -> PolicyProposal: ...
def withdraw_dataset(db: Session, dataset_id: str, *, reason: str, actor: str) -> PolicyRow: ...
def lift_withdrawal(db: Session, row_id: str, *, reason: str, actor: str) -> PolicyProposal: ...  # a steward proposes, another steward of the owner or an admin approves
def write_version(db: Session, *, reason: str, proposed_by: str, approved_by: str | None) -> PolicyVersion: ...
def verify_versions(db: Session) -> list[str]: ...  # sentences, one a broken link; empty when the chain holds
