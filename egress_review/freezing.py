"""Freezing what rests on a grant that has ended, and thawing it when a lead steward finds that it may go on."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control.settings import Settings
from egress_review.errors import Invalid, WrongState
from egress_review.models import Release, ReleaseRequest
from egress_review.permissions import caller, check_may_hold, check_may_thaw
from egress_review.records import advance, get_request, said
from egress_review.release import kill_links
from egress_review.states import LIVE, State, Step


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

    `lost` holds rendition ids (`hiv/pseudonymised`) or dataset ids (`hiv`); None means whatever it rests on, and
    needs a `project` or `person`. Returns the ids of the requests frozen now; a frozen one stays as it is. For the
    programs that notice that a grant has ended: who they are was decided before.
    """
    if lost is None and project is None and person is None:
        raise Invalid("Say what was lost, or which project or person, or every request would be frozen.")
    gone = None if lost is None else set(lost)
    query = select(ReleaseRequest).where(ReleaseRequest.state.in_([state.value for state in LIVE]))
    if project is not None:
        query = query.where(ReleaseRequest.project_id == project)
    if person is not None:
        query = query.where(ReleaseRequest.author_id == person)
    frozen = []
    for row in db.scalars(query.order_by(ReleaseRequest.id)):
        rests_on = {str(mount["rendition"]) for mount in row.mounts} | {str(mount["dataset"]) for mount in row.mounts}
        if gone is not None and not gone & rests_on:
            continue
        _freeze(db, get_request(db, row.id, lock=True), actor, reason)
        frozen.append(row.id)
    return frozen


def freeze(db: Session, settings: Settings, request_id: str, *, actor: str, reason: str) -> None:
    """A steward of the data, a lead steward or an admin freezes one request."""
    request = get_request(db, request_id, lock=True)
    check_may_hold(caller(db, settings, actor), request)
    _freeze(db, request, actor, said(reason, "Why the request is frozen"))


def thaw(db: Session, settings: Settings, request_id: str, *, actor: str, reason: str) -> None:
    """Puts a frozen request back where it was, by a lead steward of its data or an admin.

    Its links stay dead, and the gate asks again whether the grants it rests on stand.
    """
    request = get_request(db, request_id, lock=True)
    check_may_thaw(caller(db, settings, actor), request)
    reason = said(reason, "Why the request may go on")
    if State(request.state) is not State.Frozen or request.frozen_from is None:
        raise WrongState(f"{request.id} is {request.state}, not frozen.")
    advance(db, request, Step.Thaw, actor=actor, reason=reason)
    request.reason = ""
    db.flush()


def _freeze(db: Session, request: ReleaseRequest, actor: str, reason: str) -> None:
    advance(db, request, Step.Freeze, actor=actor, reason=reason)
    request.reason = reason
    for release_id in db.scalars(select(Release.id).where(Release.request_id == request.id)).all():
        kill_links(db, release_id)
    db.flush()
