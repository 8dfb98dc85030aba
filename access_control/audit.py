"""The audit log: every act, written in the transaction of what it tells of.

An entry is a row whose `body` is canonical JSON; `access_control.transparency` builds the Merkle tree over the bodies,
signs its checkpoints and verifies the whole log offline.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from access_control import clock
from access_control.database import Base


class Act(StrEnum):
    """Every act that is written to the log, `subject:what happened`. Add yours here, in alphabetical order."""

    AccessDenied = "access:denied"
    AccessGranted = "access:granted"
    AccessRefused = "access:refused"
    AccessRequested = "access:requested"
    AgreementChanged = "agreement:changed"
    AgreementSigned = "agreement:signed"
    AgreementWithdrawn = "agreement:withdrawn"
    BudgetExceeded = "budget:exceeded"
    ClearanceProposed = "clearance:proposed"
    ClearanceSet = "clearance:set"
    DatasetAdded = "dataset:added"
    DatasetAltered = "dataset:altered"
    DatasetChanged = "dataset:changed"
    DatasetDeleted = "dataset:deleted"
    IncidentDecided = "incident:decided"
    LoginFailed = "login:failed"
    LoginSucceeded = "login:succeeded"
    NoticeFailed = "notice:failed"
    NoticeSent = "notice:sent"
    PersonChanged = "person:changed"
    PolicyApproved = "policy:approved"
    PolicyProposed = "policy:proposed"
    PolicyRefused = "policy:refused"
    ProjectChanged = "project:changed"
    ReleaseDownloaded = "release:downloaded"
    ReleaseRefused = "release:refused"
    ReleaseRevoked = "release:revoked"
    ReleaseSigned = "release:signed"
    RenditionPublished = "rendition:published"
    RenditionWithdrawn = "rendition:withdrawn"
    RequestChanged = "request:changed"
    RequestChecked = "request:checked"
    RequestCommented = "request:commented"
    RequestFrozen = "request:frozen"
    RequestSubmitted = "request:submitted"
    RequestViewed = "request:viewed"
    RequestVoted = "request:voted"
    RoleGranted = "role:granted"
    RoleRemoved = "role:removed"
    SessionCut = "session:cut"
    SessionRefused = "session:refused"
    SessionStarted = "session:started"
    SessionStopped = "session:stopped"
    TrainingRecorded = "training:recorded"


class AuditEntry(Base):
    """One act; `seq` counts from 1 without a gap, `body` is what the Merkle tree covers."""

    __tablename__ = "audit_entries"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str]


def canonical(value: dict[str, Any]) -> str:
    """JSON with sorted keys and no blanks: the same value is always the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str)


def record(db: Session, act: Act, *, actor: str, subject: str, details: dict[str, Any] | None = None) -> int:
    """Writes an entry in the caller's transaction and returns its number.

    `actor` is a person's id, or the program's name in angle brackets such as `<warden>`; `subject` names what was acted
    on, such as `project:p17`. `details` hold what an auditor needs, and never data of a dataset.
    """
    if db.get_bind().dialect.name == "postgresql":
        # SQLite's writers queue up already; here two of them would take the same number.
        db.execute(text("SELECT pg_advisory_xact_lock(7201)"))
    seq = (db.execute(select(func.max(AuditEntry.seq))).scalar() or 0) + 1
    body = {"seq": seq, "at": clock.now().isoformat(), "act": act, "actor": actor, "subject": subject}
    db.add(AuditEntry(seq=seq, body=canonical({**body, "details": details or {}})))
    db.flush()
    return seq
