"""What a reviewer does with a request: finds it in the queue, claims it, looks, comments, votes file by file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from access_control.settings import Settings
from egress_review.models import Claim, Comment, ReleaseRequest, RequestFile, Vote
from egress_review.states import State


@dataclass(frozen=True)
class QueueItem:
    """A request that this reviewer may decide on. `voted` of `needed` people are done; `mine`: this reviewer's claim."""

    request: ReleaseRequest
    files: int
    verdict: str  # the worst of its files: pass, warn or block
    waiting_since: datetime
    needed: int
    voted: int
    claimed_by: list[str]
    mine: bool
    third: bool  # the votes so far disagree: another one decides


@dataclass(frozen=True)
class FileView:
    """A file with the votes that the viewer may see; `my_vote` is the viewer's own latest."""

    file: RequestFile
    votes: list[Vote]
    my_vote: Vote | None
    needed: int


@dataclass(frozen=True)
class RequestView:
    """What one person may see of a request, and may do with it now.

    `blind`: others have voted, or may, and the viewer doesn't see it yet. `can` holds names of what `requests`, `reviews`
    and `freezing` would let the viewer do now: add_files, submit, withdraw, appeal, claim, unclaim, vote, comment, freeze,
    thaw, revoke, download.
    """

    request: ReleaseRequest
    files: list[FileView]
    earlier: list[RequestFile]  # of earlier turns, newest turn first
    comments: list[Comment]
    claims: list[Claim]
    blind: bool
    can: frozenset[str]
    release_id: str | None


def queue(db: Session, settings: Settings, *, reviewer: str) -> list[QueueItem]:
    """The requests that `reviewer` may decide on and that still need them, the longest waiting first."""
    raise NotImplementedError


def view(db: Session, settings: Settings, request_id: str, *, viewer: str) -> RequestView:
    """What `viewer` may see of the request; raises NotFound for one that this person may not know of."""
    raise NotImplementedError


def original_of(db: Session, settings: Settings, request_id: str, file_id: int, *, viewer: str) -> tuple[Path, str]:
    """The stored file and its kind for `previews.preview`, verified against its hash; audited as a view. Never serve its bytes."""
    raise NotImplementedError


def claim(db: Session, settings: Settings, request_id: str, *, actor: str) -> Claim:
    """Takes one of the request's places for reviewers for some hours; claiming again prolongs it."""
    raise NotImplementedError


def unclaim(db: Session, settings: Settings, request_id: str, *, actor: str) -> None:
    """Gives the place back."""
    raise NotImplementedError


def vote(
    db: Session, settings: Settings, request_id: str, file_id: int, verdict: str, *, actor: str, reason: str = ""
) -> State:
    """Votes approve, changes or reject on one file of the current turn; returns the request's state after it.

    Takes a place if the reviewer has none. Anything but a clean approval needs a `reason`: why the findings are accepted, or
    what is wrong. An approval is signed. The vote that completes the quorum of every file decides the request, and releases
    what was approved.
    """
    raise NotImplementedError


def comment(
    db: Session,
    settings: Settings,
    request_id: str,
    text: str,
    *,
    actor: str,
    file_id: int | None = None,
    place: str = "",
) -> Comment:
    """Says something on the request, a file, or a `place` in it such as `row 3` or `cell B7`."""
    raise NotImplementedError
