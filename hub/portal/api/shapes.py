"""The shapes of what the API answers and takes; OpenAPI is made from them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub.portal.numbers import Number

# Lists of a fixed length rather than tuples, whose JSON Schema many readers of OpenAPI do not know.
Pair = Annotated[list[str], Field(min_length=2, max_length=2)]
Three = Annotated[list[str], Field(min_length=3, max_length=3)]


class Shape(BaseModel):
    """Read from a row or a dataclass by the names of its attributes."""

    model_config = ConfigDict(from_attributes=True)


class Input(Shape):
    """What a caller sends; text with a NUL character, which a database cannot keep, is refused."""

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, values: Any) -> Any:
        if _holds_nul(values):
            raise ValueError("text may not hold a NUL character")
        return values


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(each) for pair in value.items() for each in pair)
    return isinstance(value, list) and any(_holds_nul(each) for each in value)


class Problem(Shape):
    """Why a call was not done: the HTTP status, and a sentence."""

    status: int
    error: str


class Said(Shape):
    """What happened, in a sentence."""

    said: str


class MountShape(Shape):
    """A rendition as a session sees it, with the reason."""

    dataset_id: str
    rendition: str
    version: int
    target: str
    tier: int
    row_id: str
    agreement_id: str | None
    reason: str


class RefusalShape(Shape):
    """A rendition that is kept from the person, why, and who can change it."""

    rendition: str
    title: str
    sentence: str
    who_can_change: str


class ProjectShape(Shape):
    """A project."""

    id: str
    title: str
    description: str
    tier: int
    region: str
    purposes: list[str]
    state: str
    start: date
    until: date


class SessionShape(Shape):
    """A person's session in a project."""

    state: str
    id: str | None
    started_at: datetime | None
    mounts: list[MountShape]
    ended_because: str


class ProjectDetails(Shape):
    """A project with what a session in it sees today, and what it doesn't."""

    project: ProjectShape
    session: SessionShape
    mounts: list[MountShape]
    refusals: list[RefusalShape]


class AccessRequestShape(Shape):
    """A request for a rendition in a project."""

    id: int
    person_id: str
    project_id: str
    rendition_id: str
    purpose: str
    until: date
    state: str
    reason: str
    decided_by: str | None
    agreement_id: str | None
    asked_at: datetime
    decided_at: datetime | None


class Ask(Input):
    """Asks for a rendition."""

    project: str
    rendition: str
    purpose: str
    until: date


class AgreementShape(Shape):
    """An agreement."""

    id: str
    title: str
    project_id: str
    parties: list[str]
    renditions: list[str]
    purposes: list[str]
    regions: list[str]
    required_trainings: list[str]
    reviewers: int
    conditions: str
    start: date
    until: date
    state: str


class NewAgreement(Input):
    """An agreement to draft; `purposes` are terms by id or code, `regions` are where people may sit, or `any`."""

    title: str
    project: str
    parties: list[str] = Field(max_length=100)
    renditions: list[str] = Field(max_length=1000)
    purposes: list[str] = Field(max_length=100)
    regions: list[str] = Field(max_length=100)
    required_trainings: list[str] = Field(default_factory=list, max_length=100)
    reviewers: int = Field(1, ge=1, le=3)
    conditions: str = ""
    start: date
    until: date


class Act(Input):
    """The fields of an act, by the names that the portal's form for it has."""

    fields: dict[str, str | list[str]] = Field(default_factory=dict, max_length=100)


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
    outcome: str


class VoteShape(Shape):
    """A vote."""

    reviewer_id: str
    turn: int
    verdict: str
    reason: str
    at: datetime


class FileViewShape(Shape):
    """A file with the votes that the caller may see."""

    file: FileShape
    votes: list[VoteShape]
    my_vote: VoteShape | None
    needed: int


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


class Reason(Input):
    """Why."""

    reason: str = ""


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


class AccessShape(Shape):
    """A session that had a dataset mounted."""

    session: str
    person: str
    project: str
    rendition: str
    version: int
    agreement_id: str | None
    started_at: datetime
    ended_at: datetime | None


class CouldShape(Shape):
    """A person who could mount a rendition at a time."""

    person: str
    project: str
    rendition: str
    row_id: str
    agreement_id: str | None


class RunningShape(Shape):
    """A session that runs now."""

    id: str
    person_id: str
    project_id: str
    tier: int
    state: str
    started_at: datetime
    mounts: list[dict[str, Any]]


class VerificationShape(Shape):
    """What a verification of the audit log found."""

    sound: bool
    entries: int
    covered: int
    checkpoints: int
    root: str
    problems: list[str]


class PersonShape(Shape):
    """A person with what holds today."""

    id: str
    name: str
    affiliation: str
    region: str
    suspended: bool
    clearance: int
    roles: list[Pair]  # role, domain


class ChangeText(Input):
    """A change of policy: CSV with the columns change, id and those of a row."""

    changes: str
    reason: str = ""


class MountChangeShape(Shape):
    """A rendition that a person gains or loses."""

    person: str
    project: str
    rendition: str
    row_id: str | None
    reason: str
    day: date


class PreviewOfChange(Shape):
    """What a change of policy would do."""

    gains: list[MountChangeShape]
    losses: list[MountChangeShape]
    stopped: list[Three]  # person, project, session
