"""What must hold at the very moment bytes are handed out. Nothing that was found earlier is believed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import clock
from access_control.settings import Settings
from egress_review.approvals import check_approved
from egress_review.deciding import leaving
from egress_review.errors import NotPermitted, Refused
from egress_review.models import Release, ReleaseFile, ReleaseRequest, RequestFile, Vote
from egress_review.policies import check_downloadable
from egress_review.records import get_request, seeded
from egress_review.standing import check_author, check_grants
from egress_review.store import Store


@dataclass(frozen=True)
class Proven:
    """A file that passed the gate, with the approvals that were verified."""

    released: ReleaseFile
    file: RequestFile
    approvals: list[Vote]


def check_gate(
    db: Session,
    settings: Settings,
    release: Release,
    *,
    person: str,
    release_file_id: int | None = None,
    direction: str = "out",
) -> list[Proven]:
    """The files that may be handed to `person` now: the one asked for, or all. Raises the reason why not.

    In this order: the release stands, the person is its author and in good standing, every grant it rests on stands,
    the signatures verify and make the quorum, and the bytes in the store are those that were signed.
    """
    request = check_stands(db, release, direction)
    if person != request.author_id:
        raise NotPermitted(f"{release.id} is {request.author_id}'s. Only they can fetch it.")
    check_author(db, settings, request)
    check_grants(db, settings, request)
    rows = list(db.scalars(select(ReleaseFile).where(ReleaseFile.release_id == release.id).order_by(ReleaseFile.name)))
    if release_file_id is not None:
        rows = [row for row in rows if row.id == release_file_id]
    if not rows:
        raise Refused(f"That file is not in {release.id}.")
    return [_prove(db, settings, release, request, row) for row in rows]


def check_stands(db: Session, release: Release, direction: str = "out") -> ReleaseRequest:
    """The request of a release; raises Refused or WrongState when the release is revoked, frozen, over, or a seeded
    one.
    """
    request = get_request(db, release.request_id)
    if seeded(db, request.id):
        raise Refused(f"{request.id} was put into the queue to measure reviewers. It never leaves.")
    if release.revoked_at is not None:
        raise Refused(f"{release.id} was revoked by {release.revoked_by}: {release.reason}")
    check_downloadable(request)
    if release.turn != request.turn:
        raise Refused(f"{release.id} is of turn {release.turn}, but {request.id} is in turn {request.turn}.")
    if clock.now() >= release.expires_at:
        raise Refused(
            f"{release.id} could be fetched until {release.expires_at:%Y-%m-%d %H:%M} UTC. Make a new request."
        )
    if request.direction != direction:
        way = "into a workspace" if request.direction == "in" else "out of the enclave"
        raise Refused(f"{release.id} goes {way}, not the other way.")
    return request


def _prove(db: Session, settings: Settings, release: Release, request: ReleaseRequest, row: ReleaseFile) -> Proven:
    file = db.get(RequestFile, row.file_id)
    if file is None or file.request_id != request.id or file.turn != release.turn or file.removed_at is not None:
        raise Refused(f"{row.name} is not of the request that {release.id} releases.")
    approvals = check_approved(db, settings, request, file)
    if (row.original_sha256, row.sha256, row.name) != (file.sha256, leaving(request, file), file.rewrite_name):
        raise Refused(f"{row.name} is not what its reviewers signed.")
    store = Store(settings.store)
    store.verify(row.original_sha256)
    store.verify(row.sha256)
    return Proven(row, file, approvals)
