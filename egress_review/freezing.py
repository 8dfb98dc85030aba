"""Freezing what rests on a grant that has ended, and thawing it when a lead steward finds that it may go on."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from access_control.settings import Settings


def freeze_for(
    db: Session,
    lost: Iterable[str] | None,
    *,
    project: str | None = None,
    person: str | None = None,
    reason: str,
    actor: str = "<warden>",
) -> list[str]:
    """Freezes every live request that rests on a rendition in `lost`, and kills the links of released ones.

    `lost` holds rendition ids (`hiv/pseudonymised`) or dataset ids (`hiv`); None means whatever it rests on, and needs a
    `project` or `person`. Returns the ids of the requests frozen now; a frozen one stays as it is.
    """
    raise NotImplementedError


def thaw(db: Session, settings: Settings, request_id: str, *, actor: str, reason: str) -> None:
    """Puts a frozen request back where it was, by a lead steward of its data or an admin."""
    raise NotImplementedError
