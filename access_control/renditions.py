"""Renditions: declared in a small TOML file, materialised to immutable Parquet, versioned, withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from access_control.models import Rendition, RenditionVersion
from access_control.settings import Settings

Progress = Callable[[str, float], None]


def publish_rendition(
    db: Session, settings: Settings, spec: str | Path, *, actor: str, progress: Progress | None = None
) -> Rendition:
    """Declares a rendition, or changes it, and materialises it from the newest version of its dataset.

    One that is keyed by project is materialised again for each project that has it already, and for a new project by
    `ensure_materialised`. Older versions stay: running sessions go on with theirs. Raises Invalid with the place in the
    specification and the remedy, Refused when a quality check fails (nothing is published), NotPermitted, NotFound.
    """
    raise NotImplementedError


def materialise(
    db: Session,
    settings: Settings,
    rendition_id: str,
    project_id: str | None = None,
    *,
    actor: str = "<enclave>",
    progress: Progress | None = None,
) -> RenditionVersion:
    """Writes a new version; `project_id` is needed exactly when the rendition is keyed by project."""
    raise NotImplementedError


def ensure_materialised(
    db: Session, settings: Settings, rendition_id: str, project_id: str, *, actor: str = "<enclave>"
) -> RenditionVersion:
    """The version that this project would mount, written now when there is none. Call it when access is granted."""
    raise NotImplementedError


def current_version(db: Session, rendition_id: str, project_id: str | None) -> RenditionVersion | None:
    """The newest published version for that project (for everybody, when the rendition is not keyed by project)."""
    raise NotImplementedError


def withdraw_rendition_version(
    db: Session,
    rendition_id: str,
    number: int,
    *,
    actor: str,
    reason: str,
    project_id: str | None = None,
) -> RenditionVersion:
    """Takes a published version out of use: sessions that mount it are decided again and stop. Files stay."""
    raise NotImplementedError
