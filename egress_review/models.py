"""The tables of the review queue. A row is never deleted: what was said, sent and decided stays to be read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from access_control.database import Base


class ReleaseRequest(Base):
    """A claim that some files are safe to leave (`direction` out) or to come in (`in`).

    `state` is a `states.State`; `turn` counts from 1. `mounts`, `tier`, `owners`, `reviewers` and `profile` are fixed
    when the request is submitted: what the author's sessions in this project had mounted, the strictest tier of it,
    the owners who have a say, how many people must approve each file, and whose thresholds hold.
    """

    __tablename__ = "release_requests"

    id: Mapped[str] = mapped_column(primary_key=True)  # REQ-0042
    project_id: Mapped[str] = mapped_column(index=True)
    author_id: Mapped[str] = mapped_column(index=True)
    direction: Mapped[str] = mapped_column(default="out")
    title: Mapped[str]
    purpose: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft", index=True)
    turn: Mapped[int] = mapped_column(default=1)
    mounts: Mapped[list[dict[str, Any]]] = mapped_column(
        default=list
    )  # rendition, dataset, version, owner, tier, agreement
    tier: Mapped[int] = mapped_column(default=0)
    owners: Mapped[list[str]] = mapped_column(default=list)
    reviewers: Mapped[int] = mapped_column(default=1)
    profile: Mapped[str] = mapped_column(default="default")
    reason: Mapped[str] = mapped_column(default="")  # why it is in its state: of a freeze, a withdrawal, a failed check
    frozen_from: Mapped[str | None] = mapped_column(default=None)  # the state that a thaw goes back to
    appeal: Mapped[str] = mapped_column(default="")  # the author's words; one appeal a request
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None] = mapped_column(default=None)
    queued_at: Mapped[datetime | None] = mapped_column(default=None)  # since when reviewers can act, in this turn
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    moved_at: Mapped[datetime | None] = mapped_column(default=None)  # since when it is in its state


class RequestFile(Base):
    """A file in one turn of a request, with what the checks found in it.

    Until it is submitted `sha256` is empty. `since_turn` is the turn from which on file, context and findings are
    unchanged: votes given since then count. A file taken out of a draft has `removed_at`.
    """

    __tablename__ = "request_files"
    __table_args__ = (Index("ix_request_files_request_turn", "request_id", "turn"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("release_requests.id"), index=True)
    turn: Mapped[int]
    name: Mapped[str]  # path below the workspace, with forward slashes
    context: Mapped[str] = mapped_column(default="")
    sha256: Mapped[str] = mapped_column(default="", index=True)
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    since_turn: Mapped[int] = mapped_column(default=1)
    kind: Mapped[str] = mapped_column(default="")
    verdict: Mapped[str] = mapped_column(default="")  # pass, warn or block; empty until it is checked
    findings: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # rule, severity, where, message, remedy
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    findings_digest: Mapped[str] = mapped_column(default="")
    rules_version: Mapped[str] = mapped_column(default="")
    rewrite_sha256: Mapped[str | None] = mapped_column(
        default=None
    )  # the canonical rewrite that leaves, if its kind has one
    rewrite_size: Mapped[int] = mapped_column(BigInteger, default=0)
    rewrite_name: Mapped[str] = mapped_column(default="")  # the name that it leaves under
    outcome: Mapped[str] = mapped_column(default="")  # approve, changes or reject; empty until decided
    removed_at: Mapped[datetime | None] = mapped_column(default=None)


class Vote(Base):
    """A reviewer's vote on a file: `verdict` approve, changes or reject. The latest of a reviewer on a file counts.

    An approval carries the reviewer's Ed25519 `signature` over `payload` (canonical JSON), both as text.
    """

    __tablename__ = "request_votes"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("release_requests.id"), index=True)
    turn: Mapped[int]
    file_id: Mapped[int] = mapped_column(ForeignKey("request_files.id"), index=True)
    reviewer_id: Mapped[str] = mapped_column(index=True)
    sides: Mapped[list[str]]  # the owners for whom this reviewer spoke
    verdict: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")  # for an approval: why the findings are accepted
    seconds: Mapped[int] = mapped_column(default=0)  # since the claim or the reviewer's vote before
    payload: Mapped[str] = mapped_column(default="")
    signature: Mapped[str] = mapped_column(default="")  # hexadecimal
    key_id: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class Comment(Base):
    """Something said about a request, one file of it, or a place in a file such as `row 3` or `cell B7`."""

    __tablename__ = "request_comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("release_requests.id"), index=True)
    turn: Mapped[int]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("request_files.id"), default=None)
    place: Mapped[str] = mapped_column(default="")
    author_id: Mapped[str]
    by_reviewer: Mapped[bool]
    text: Mapped[str]
    at: Mapped[datetime]


class Claim(Base):
    """A reviewer is at work on a request until `until`, or until `ended_at` when it was given back or done."""

    __tablename__ = "request_claims"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("release_requests.id"), index=True)
    reviewer_id: Mapped[str]
    at: Mapped[datetime]
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class Release(Base):
    """What was approved of a request, open for download until `expires_at` unless revoked."""

    __tablename__ = "releases"

    id: Mapped[str] = mapped_column(primary_key=True)  # REL-0042
    request_id: Mapped[str] = mapped_column(ForeignKey("release_requests.id"), unique=True)
    turn: Mapped[int]
    bundle_sha256: Mapped[str | None] = mapped_column(default=None)
    at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_by: Mapped[str | None] = mapped_column(default=None)
    reason: Mapped[str] = mapped_column(default="")


class ReleaseFile(Base):
    """A file of a release: the original that was reviewed and the bytes that leave (the same where there is no
    rewrite).
    """

    __tablename__ = "release_files"
    __table_args__ = (UniqueConstraint("release_id", "file_id"), UniqueConstraint("release_id", "name"))

    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"), index=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("request_files.id"))
    name: Mapped[str]
    original_sha256: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str]


class DownloadLink(Base):
    """A single-use link for one person; only the SHA-256 of its token is kept. `release_file_id` none: the bundle."""

    __tablename__ = "download_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"), index=True)
    release_file_id: Mapped[int | None] = mapped_column(ForeignKey("release_files.id"), default=None)
    person_id: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None] = mapped_column(default=None)
    killed_at: Mapped[datetime | None] = mapped_column(default=None)


class Download(Base):
    """A download that the gate let through, counted by the server."""

    __tablename__ = "downloads"

    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"), index=True)
    release_file_id: Mapped[int | None] = mapped_column(ForeignKey("release_files.id"), default=None)
    link_id: Mapped[int] = mapped_column(ForeignKey("download_links.id"), unique=True)
    person_id: Mapped[str]
    sha256: Mapped[str]
    bytes: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class LedgerTable(Base):
    """A table that was released, for comparison with later ones from the same datasets, whatever the project."""

    __tablename__ = "ledger_tables"

    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"), index=True)
    project_id: Mapped[str]
    datasets: Mapped[list[str]]
    file_name: Mapped[str]
    sha256: Mapped[str]
    place: Mapped[str]  # such as the sheet
    variables: Mapped[list[str]]  # the key columns, case-folded and sorted
    population: Mapped[str]  # the file's context: which people the author says it counts
    cells: Mapped[list[dict[str, Any]]]  # keys: {variable: value}, counts: {column: number}
    at: Mapped[datetime]


class SeededRequest(Base):
    """Marks a request as known to be unsafe, put into the queue to measure reviewers: never releasable."""

    __tablename__ = "seeded_requests"

    request_id: Mapped[str] = mapped_column(ForeignKey("release_requests.id"), primary_key=True)
    seeded_by: Mapped[str]
    why_unsafe: Mapped[str]
    at: Mapped[datetime]
