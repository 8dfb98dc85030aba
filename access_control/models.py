"""The tables of access control: facts, each with its dates and its source. Ids are slugs that never change."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column

from access_control.database import Base

FOREVER = date(9999, 12, 31)


class Organisation(Base):
    """A party: an owner of data or a home of researchers."""

    __tablename__ = "organisations"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    region: Mapped[str]


class Person(Base):
    """A person; `id` is the name at the hub and `subject` the provider's own, unchanging name for them."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    affiliation: Mapped[str]  # an organisation's id
    region: Mapped[str]  # where the person sits, such as EU or UK
    subject: Mapped[str | None] = mapped_column(unique=True, default=None)
    suspended: Mapped[bool] = mapped_column(default=False)


class Clearance(Base):
    """A person's tier, 0 to 4, within dates; two that overlap are refused."""

    __tablename__ = "clearances"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    level: Mapped[int]
    start: Mapped[date]
    until: Mapped[date]
    accredited_by: Mapped[str]
    source: Mapped[str]


class Training(Base):
    """A training that a person has passed, and when it runs out."""

    __tablename__ = "trainings"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    course: Mapped[str]
    start: Mapped[date]
    until: Mapped[date]
    source: Mapped[str]


class Role(Base):
    """A role within a domain and dates: (`researcher`|`lead`, `project:p17`), (`steward`|`lead-steward`, `owner:acme`),

    (`admin`|`auditor`, `*`). Project membership is a role; there is no other table of members.
    """

    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    role: Mapped[str]
    domain: Mapped[str]
    start: Mapped[date]
    until: Mapped[date]
    source: Mapped[str]


class Project(Base):
    """A project; `purposes` are Data Use Ontology or ODRL terms; state proposed, active, suspended or closed."""

    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    tier: Mapped[int]
    region: Mapped[str]
    purposes: Mapped[list[str]]
    ethics_reference: Mapped[str] = mapped_column(default="")
    contract_reference: Mapped[str] = mapped_column(default="")
    assessment_reference: Mapped[str] = mapped_column(default="")  # the data protection impact assessment
    state: Mapped[str] = mapped_column(default="proposed")
    start: Mapped[date]
    until: Mapped[date]


class Dataset(Base):
    """A dataset of one owner; `tier` is its sensitivity, 0 open to 4 highly restricted."""

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    owner_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"))
    tier: Mapped[int]
    licence: Mapped[str] = mapped_column(default="")
    permitted_use: Mapped[list[str]] = mapped_column(default=list)  # purpose terms; empty: as the agreements say
    required_trainings: Mapped[list[str]] = mapped_column(default=list)
    citation: Mapped[str] = mapped_column(default="")
    embargo_until: Mapped[date | None] = mapped_column(default=None)
    retention_until: Mapped[date | None] = mapped_column(default=None)
    egress_profile: Mapped[str] = mapped_column(default="default")


class DatasetVersion(Base):
    """An ingested, immutable version: a folder below the data root with data.parquet and datapackage.json."""

    __tablename__ = "dataset_versions"
    __table_args__ = (UniqueConstraint("dataset_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    number: Mapped[int]
    path: Mapped[str]  # relative to the data root
    sha256: Mapped[str]  # of data.parquet
    rows: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[list[dict[str, Any]]]  # name, type, description, of each
    source_name: Mapped[str]
    source_sha256: Mapped[str]
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)  # its files are gone, with a record of it


class Rendition(Base):
    """One way of showing a dataset, declared in a small file whose text is kept in `spec`."""

    __tablename__ = "renditions"

    id: Mapped[str] = mapped_column(primary_key=True)  # dataset/name
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    name: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    tier: Mapped[int]
    spec: Mapped[str]  # TOML
    per_project: Mapped[bool] = mapped_column(default=False)  # pseudonyms are keyed by project


class RenditionVersion(Base):
    """A materialised rendition: immutable files of one dataset version, for one project where keyed by project."""

    __tablename__ = "rendition_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    rendition_id: Mapped[str] = mapped_column(ForeignKey("renditions.id"), index=True)
    dataset_version: Mapped[int]
    project_id: Mapped[str | None] = mapped_column(default=None)
    number: Mapped[int]
    path: Mapped[str]  # relative to the data root; this folder is what a session sees
    files: Mapped[dict[str, Any]]  # name -> SHA-256
    rows: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[list[dict[str, Any]]]
    quality: Mapped[list[dict[str, Any]]]
    uniqueness: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="published")  # published, withdrawn, altered
    published_by: Mapped[str]
    published_at: Mapped[datetime]


class Agreement(Base):
    """What the parties agreed: who, which renditions, for which purposes, where, until when, on which conditions.

    State: draft, signed (by every party), active, suspended, expired or withdrawn. An active agreement is one allow row
    a rendition in the policy.
    """

    __tablename__ = "agreements"

    id: Mapped[str] = mapped_column(primary_key=True)  # AGR-0042
    title: Mapped[str]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    parties: Mapped[list[str]]  # organisations' ids
    renditions: Mapped[list[str]]  # dataset/name
    purposes: Mapped[list[str]]
    regions: Mapped[list[str]]
    required_trainings: Mapped[list[str]] = mapped_column(default=list)
    reviewers: Mapped[int] = mapped_column(default=1)  # for outputs; the tier may ask for more
    conditions: Mapped[str] = mapped_column(default="")
    start: Mapped[date]
    until: Mapped[date]
    state: Mapped[str] = mapped_column(default="draft")


class AgreementSignature(Base):
    """A party's signature under the exact text of an agreement (`digest`), given by a person who may bind it."""

    __tablename__ = "agreement_signatures"
    __table_args__ = (UniqueConstraint("agreement_id", "party", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreements.id"), index=True)
    party: Mapped[str]
    person_id: Mapped[str]
    digest: Mapped[str]
    at: Mapped[datetime]


class AccessRequest(Base):
    """A researcher's request for a rendition in a project; state asked, granted, refused or taken back."""

    __tablename__ = "access_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    rendition_id: Mapped[str] = mapped_column(ForeignKey("renditions.id"))
    purpose: Mapped[str]
    until: Mapped[date]
    state: Mapped[str] = mapped_column(default="asked")
    reason: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[str | None] = mapped_column(default=None)
    agreement_id: Mapped[str | None] = mapped_column(default=None)
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None] = mapped_column(default=None)


class PolicyRow(Base):
    """A row of the policy in force, with named columns; `agreement_id` where an agreement made it."""

    __tablename__ = "policy_rows"

    id: Mapped[str] = mapped_column(primary_key=True)  # AGR-0042.1, WDR-0007, ROL-01
    eft: Mapped[str]
    role: Mapped[str]
    project: Mapped[str]
    data: Mapped[str]
    act: Mapped[str]
    purpose: Mapped[str]
    region: Mapped[str]
    start: Mapped[date]
    until: Mapped[date]
    training: Mapped[str] = mapped_column(default="any")  # courses that this row asks for besides the dataset's
    agreement_id: Mapped[str | None] = mapped_column(default=None, index=True)


class PolicyVersion(Base):
    """Every version that was ever in force, whole: its rows and roles as text, and who proposed and approved it."""

    __tablename__ = "policy_versions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str]  # SHA-256 over rows, model and the digest before
    model: Mapped[str]  # SHA-256 of the model and the standing rows that it was put in force with
    rows: Mapped[str]  # CSV of all rows, sorted by id
    reason: Mapped[str]
    proposed_by: Mapped[str]
    approved_by: Mapped[str | None]
    at: Mapped[datetime]


class PolicyProposal(Base):
    """A change of policy that waits for a second admin: the rows to add and the ids to remove."""

    __tablename__ = "policy_proposals"

    id: Mapped[int] = mapped_column(primary_key=True)
    add: Mapped[list[dict[str, Any]]]
    remove: Mapped[list[str]]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(default="proposed")  # proposed, approved, refused
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)


class GrantProposal(Base):
    """A clearance or role that one admin proposes and a second one approves (two people for tier grants)."""

    __tablename__ = "grant_proposals"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]  # clearance or role
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    details: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="proposed")
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)


class SessionRecord(Base):
    """A session: one container of one (person, project), with the exact mounts it was given.

    State: starting, running, stopping or ended. `id` is a random token of 32 hexadecimal digits; the session's web host
    is `s-<id>.<domain>`.
    """

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(index=True)
    project_id: Mapped[str] = mapped_column(index=True)
    tier: Mapped[int]
    state: Mapped[str] = mapped_column(default="starting", index=True)
    container: Mapped[str] = mapped_column(default="")
    socket: Mapped[str] = mapped_column(default="")  # absolute path on the gateway's machine
    mounts: Mapped[list[dict[str, Any]]]  # Mount.as_dict() of each
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str] = mapped_column(default="")  # why it ended


class ChangeCount(Base):
    """One row whose number grows with each commit that can change a decision; the warden watches it."""

    __tablename__ = "change_count"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=0)


def touch(db: Session) -> None:
    """Counts a change of facts or policy in the caller's transaction, so that running sessions are decided again."""
    row = db.get(ChangeCount, 1, with_for_update=True)
    if row is None:
        db.add(ChangeCount(id=1, number=1))
    else:
        row.number += 1
    db.flush()
