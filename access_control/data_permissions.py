"""Who may bring in data and publish renditions: a data steward of the owner, decided by the policy."""

from __future__ import annotations

from sqlalchemy.orm import Session

from access_control import clock
from access_control.errors import AccessError, NotPermitted
from access_control.settings import Settings
from access_control.snapshot import load_snapshot

SETUP = "<setup>"  # the first installation, from the command line of the machine itself


def require_steward(db: Session, settings: Settings, actor: str, owner: str, to: str) -> None:
    """Raises NotPermitted unless `actor` is a steward of the owner today, or the installation itself."""
    if actor == SETUP:
        return
    decision = load_snapshot(db, settings.data_root).may(actor, "steward", clock.today(), owner=owner)
    if not decision.allowed:
        raise NotPermitted(f"You may not {to}: {decision.reason} A data steward of {owner} can do it.")


def may_steward(db: Session, settings: Settings, actor: str, owner: str) -> bool:
    """Whether `require_steward` lets `actor` pass."""
    try:
        require_steward(db, settings, actor, owner, "do this")
    except AccessError:
        return False
    return True
