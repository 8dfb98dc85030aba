"""Who may bring in data and publish renditions: a data steward of the owner, decided by the policy."""

from __future__ import annotations

from sqlalchemy.orm import Session

from access_control import changes
from access_control.changes import SETUP


def require_steward(db: Session, actor: str, owner: str, to: str) -> None:
    """Raises NotPermitted unless `actor` is a steward of the owner today, or the installation itself.

    Whoever works on the machine as `<setup>` holds the files anyway; what they do is in the log under that name.
    """
    if actor != SETUP:
        changes.require(db, actor, "steward", to=to, owner=owner)


def may_steward(db: Session, actor: str, owner: str) -> bool:
    """Whether `require_steward` lets `actor` pass."""
    return actor == SETUP or changes.may(db, actor, "steward", owner=owner)
