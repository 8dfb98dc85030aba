"""`enclave egress fsck`: every blob against its name, and every hash that a row names against the store."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control.settings import Settings
from egress_review.models import Release, ReleaseFile, RequestFile
from egress_review.store import Damage, Store


def wanted(db: Session) -> set[str]:
    """Every hash that the database says is in the store."""
    found: set[str | None] = set()
    for column in (
        RequestFile.sha256, RequestFile.rewrite_sha256, Release.bundle_sha256, ReleaseFile.sha256,
        ReleaseFile.original_sha256,
    ):  # fmt: skip
        found.update(db.scalars(select(column)))
    return {sha256 for sha256 in found if sha256}


def fsck(db: Session, settings: Settings, *, progress: Callable[[str], None] | None = None) -> list[Damage]:
    """What is damaged, foreign or missing; an empty list when all is well. Nothing is changed."""
    return Store(settings.store).fsck(wanted(db), progress=progress)
