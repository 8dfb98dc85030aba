"""What an author does with a request: drafts it, picks files, submits turn after turn, takes it back, appeals.

Functions that take a Session work in the caller's transaction. `submit`, `run_checks` and `resume` take the Engine and
make transactions of their own, because files are copied and checked while none is open.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from access_control.settings import Settings
from egress_review.models import ReleaseRequest, RequestFile
from egress_review.states import State


def create_draft(
    db: Session, settings: Settings, *, project_id: str, title: str, purpose: str, actor: str, direction: str = "out"
) -> ReleaseRequest:
    """A new, empty draft by a member of the project; `direction` is out (egress) or in (import)."""
    raise NotImplementedError


def add_files(
    db: Session, settings: Settings, request_id: str, patterns: Sequence[str], *, context: str, actor: str
) -> list[RequestFile]:
    """Adds workspace files by path, folder or glob (`results/*.csv`, `figures`), all with the same `context`.

    Possible in a draft, and after changes were asked (for the next turn). Nothing is copied before `submit`.
    """
    raise NotImplementedError


def set_context(
    db: Session, settings: Settings, request_id: str, name: str, context: str, *, actor: str
) -> RequestFile:
    """Says anew what a file shows and whom it counts; in the next turn the file loses its votes by it."""
    raise NotImplementedError


def remove_file(db: Session, settings: Settings, request_id: str, name: str, *, actor: str) -> None:
    """Takes a file out of the turn that is being prepared."""
    raise NotImplementedError


def submit(engine: Engine, settings: Settings, request_id: str, *, actor: str) -> State:
    """Copies the files into the store, checks them and queues the request (or its next turn) for review; takes seconds."""
    raise NotImplementedError


def withdraw(db: Session, settings: Settings, request_id: str, *, actor: str, reason: str = "") -> None:
    """The author takes the request back."""
    raise NotImplementedError


def appeal(db: Session, settings: Settings, request_id: str, *, actor: str, reason: str) -> None:
    """The author of a rejected request asks, once, for reviewers who have not voted on it."""
    raise NotImplementedError


def requests_of(db: Session, person_id: str) -> list[ReleaseRequest]:
    """The person's own requests, newest first."""
    raise NotImplementedError


def files_of(db: Session, request: ReleaseRequest, turn: int | None = None) -> list[RequestFile]:
    """The files of a turn by name; without `turn` of the one an author edits, or else of the current one."""
    raise NotImplementedError
