"""The gate: the one way to the bytes of a release. Everything is verified at each download, by signatures and hashes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from access_control.settings import Settings
from egress_review.models import Release, ReleaseFile


@dataclass(frozen=True)
class Released:
    """What the gate let through. Serve `read()`: it gives the bytes whose hash it has just compared, or raises Refused."""

    path: Path
    name: str
    sha256: str
    media_type: str
    size: int

    def read(self) -> bytes:
        """The bytes; raises Refused when they are no longer those of `sha256`."""
        raise NotImplementedError


def releases_of(db: Session, person_id: str) -> list[Release]:
    """The releases of the person's own requests, newest first."""
    raise NotImplementedError


def release_files(db: Session, release_id: str) -> list[ReleaseFile]:
    """The files of a release by name."""
    raise NotImplementedError


def make_link(
    engine: Engine, settings: Settings, release_id: str, *, actor: str, release_file_id: int | None = None
) -> str:
    """A single-use token for one file, or for the whole bundle without `release_file_id`, that works for `actor` alone.

    Raises NotPermitted for anyone but the author, Refused with the reason when the gate would not open now.
    """
    raise NotImplementedError


def redeem(engine: Engine, settings: Settings, token: str, *, actor: str) -> Released:
    """Opens the gate once for the token; every refusal is audited. Raises NotFound, NotPermitted or Refused."""
    raise NotImplementedError


def revoke(db: Session, settings: Settings, release_id: str, *, actor: str, reason: str) -> None:
    """Takes a release back for good: its links die at once. By a steward of its data, a lead steward or an admin."""
    raise NotImplementedError
