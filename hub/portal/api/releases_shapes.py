"""The shapes of release requests, imports, reviews and releases."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from hub.portal.api.shapes import Input, Shape
from hub.portal.numbers import Number


class WorkspaceFileShape(Shape):
    """A file of a workspace; `problem` says why it could not be submitted."""

    name: str
    size: int
    modified: datetime
    problem: str


class PickedFile(Input):
    """A workspace file and what it shows."""

    name: str
    context: str


class NewRequest(Input):
    """A release request; with `submit` it is submitted at once."""

    project: str
    title: str
    purpose: str
    files: list[PickedFile] = Field(default_factory=list, max_length=1000)
    submit: bool = False


class NewImport(Input):
    """An import, without its files."""

    project: str
    title: str
    purpose: str


class RequestShape(Shape):
    """A release request or an import."""

    id: str
    project_id: str
    author_id: str
    direction: str
    title: str
    purpose: str
    state: str
    turn: int
    tier: int
    owners: list[str]
    reviewers: int
    profile: str
    reason: str
    created_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None


class FileShape(Shape):
    """A file of a request, with what the checks found."""

    id: int
    turn: int
    name: str
    context: str
    sha256: str
    size: int
    kind: str
    verdict: str
    findings: list[dict[str, Any]]
    rewrite_sha256: str | None


class VoteShape(Shape):
    """A vote."""

    reviewer_id: str
    turn: int
    verdict: str
    reason: str
    at: datetime


class FileViewShape(Shape):
    """A file with the votes and the outcome that the caller may see."""

    file: FileShape
    votes: list[VoteShape]
    my_vote: VoteShape | None
    needed: int
    outcome: str


class CommentShape(Shape):
    """Something that was said."""

    id: int
    turn: int
    file_id: int | None
    place: str
    author_id: str
    by_reviewer: bool
    text: str
    at: datetime


class RequestViewShape(Shape):
    """What the caller may see of a request, and may do with it now."""

    request: RequestShape
    files: list[FileViewShape]
    comments: list[CommentShape]
    blind: bool
    can: list[str]
    release_id: str | None


class QueueShape(Shape):
    """A request that waits for the caller."""

    request: RequestShape
    files: int
    verdict: str
    waiting_since: datetime
    needed: int
    voted: int
    claimed_by: list[str]
    mine: bool
    third: bool


class NewVote(Input):
    """A vote on one file."""

    verdict: Literal["approve", "changes", "reject"]
    reason: str = ""


class NewComment(Input):
    """A comment on the request, a file, or a place in a file."""

    text: str
    file_id: Number | None = None
    place: str = ""


class ReleaseFileShape(Shape):
    """A released file."""

    id: int
    name: str
    size: int
    sha256: str
    media_type: str


class Link(Shape):
    """A single-use address, for the caller alone."""

    url: str


class PreviewTableShape(Shape):
    """A table of a preview, cut to size."""

    name: str
    header: list[str]
    rows: list[list[str]]
    rows_total: int


class PreviewShape(Shape):
    """A preview: tables and text; `images` counts the pictures, which the page shows."""

    kind: str
    tables: list[PreviewTableShape]
    text: str
    note: str
    images: int
    cut: bool


class FiguresShape(Shape):
    """How one reviewer does: files voted on, of seeded ones how many were approved, median seconds a file."""

    reviewer: str
    files: int
    seeded: int
    missed: int
    seconds: float


class CalibrationShape(Shape):
    """How the reviewers of the caller's owners do."""

    reviewers: list[FiguresShape]
    seeded: int
    missed: int
    pairs: int
    agreement: float | None
    kappa: float | None


class DueShape(Shape):
    """Something that waits for the caller; `page` is where in the portal."""

    kind: str
    subject: str
    project_id: str
    page: str
    sentence: str


class DamageShape(Shape):
    """A stored file that is not what its name says, or is missing."""

    sha256: str
    sentence: str


class KeyShape(Shape):
    """A public key."""

    id: str
    pem: str
