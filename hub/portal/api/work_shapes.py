"""The shapes of projects and sessions."""

from __future__ import annotations

from datetime import date, datetime

from hub.portal.api.shapes import Shape


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
