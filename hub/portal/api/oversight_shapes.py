"""The shapes of people, policy, sessions that run, and the log."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from hub.portal.api.shapes import Input, Pair, Shape, Three


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
