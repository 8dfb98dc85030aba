"""The shapes of requests for access and of agreements."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from hub.portal.api.shapes import Input, Shape


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
