"""The one way to the bytes of a release: single-use links, and the gate that is asked anew for each download."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from access_control import audit, clock
from access_control.audit import Act
from access_control.database import reading, writing
from access_control.settings import Settings
from egress_review import bundle
from egress_review.errors import EgressError, NotFound, NotPermitted, Refused
from egress_review.gate import check_gate
from egress_review.models import Download, DownloadLink, Release, ReleaseFile, ReleaseRequest
from egress_review.permissions import caller, check_may_hold
from egress_review.records import advance, get_release, get_request, said
from egress_review.states import State, Step
from egress_review.store import Store


@dataclass(frozen=True)
class Released:
    """What the gate let through. Serve `read()`: it gives the bytes whose hash it has just compared, or raises
    Refused.
    """

    path: Path
    name: str
    sha256: str
    media_type: str
    size: int

    def read(self) -> bytes:
        """The bytes; raises Refused when they are no longer those of `sha256`."""
        return Store(self.path.parents[2]).read(self.sha256)


def releases_of(db: Session, person_id: str) -> list[Release]:
    """The releases of the person's own requests, newest first."""
    query = select(Release).join(ReleaseRequest, ReleaseRequest.id == Release.request_id)
    return list(db.scalars(query.where(ReleaseRequest.author_id == person_id).order_by(Release.at.desc())))


def release_files(db: Session, release_id: str) -> list[ReleaseFile]:
    """The files of a release by name."""
    return list(db.scalars(select(ReleaseFile).where(ReleaseFile.release_id == release_id).order_by(ReleaseFile.name)))


def make_link(
    engine: Engine, settings: Settings, release_id: str, *, actor: str, release_file_id: int | None = None
) -> str:
    """A single-use token for one file, or for the whole bundle without `release_file_id`, that works for `actor` alone.

    Raises NotPermitted for anyone but the author, Refused with the reason when the gate would not open now.
    """
    with _refusals_audited(engine, release_id, actor):
        if release_file_id is None:
            _make_bundle(engine, settings, release_id, actor)
        token = secrets.token_urlsafe(32)
        with writing(engine) as db:
            release = get_release(db, release_id)
            check_gate(db, settings, release, person=actor, release_file_id=release_file_id)
            now = clock.now()
            db.add(
                DownloadLink(
                    token_sha256=_hash(token),
                    release_id=release.id,
                    release_file_id=release_file_id,
                    person_id=actor,
                    made_at=now,
                    expires_at=now + timedelta(minutes=settings.egress.link_minutes),
                )
            )
        return token


def redeem(engine: Engine, settings: Settings, token: str, *, actor: str) -> Released:
    """Opens the gate once for the token; every refusal is audited. Raises NotFound, NotPermitted or Refused.

    The link is used up in the same transaction that counts the download: of two at once, one gets the bytes.
    """
    with reading(engine) as db:
        link = db.scalar(select(DownloadLink).where(DownloadLink.token_sha256 == _hash(token)))
        if link is None:
            raise NotFound("There is no such link. Make a new one on the page of the release.")
        link_id, release_id = link.id, link.release_id
    with _refusals_audited(engine, release_id, actor), writing(engine) as db:
        link = db.get_one(DownloadLink, link_id, with_for_update=True)
        release = get_release(db, link.release_id)
        if link.person_id != actor:
            raise NotPermitted("This link was made for somebody else. Make your own on the page of the release.")
        if link.used_at is not None:
            raise Refused("This link has been used. Each works once: make a new one on the page of the release.")
        if link.killed_at is not None or clock.now() >= link.expires_at:
            raise Refused("This link is over. Make a new one on the page of the release.")
        proven = check_gate(db, settings, release, person=actor, release_file_id=link.release_file_id)
        store = Store(settings.store)
        if link.release_file_id is None:
            sha256, name, media_type = release.bundle_sha256 or "", f"{release.id}.zip", "application/zip"
            bundle.check_is_of(store.read(sha256), settings, release, [each.released for each in proven])
        else:
            row = proven[0].released
            sha256, name, media_type = row.sha256, row.name, row.media_type
        path = store.verify(sha256)
        now, size = clock.now(), path.stat().st_size
        spent = db.execute(
            update(DownloadLink).where(DownloadLink.id == link.id, DownloadLink.used_at.is_(None)).values(used_at=now)
        )
        if getattr(spent, "rowcount", 0) != 1:
            raise Refused("This link has been used. Each works once: make a new one on the page of the release.")
        db.add(
            Download(
                release_id=release.id,
                release_file_id=link.release_file_id,
                link_id=link.id,
                person_id=actor,
                sha256=sha256,
                bytes=size,
                at=now,
            )
        )
        details = {"name": name, "sha256": sha256, "bytes": size, "request": release.request_id}
        audit.record(db, Act.ReleaseDownloaded, actor=actor, subject=f"release:{release.id}", details=details)
    return Released(path, name.rpartition("/")[2], sha256, media_type, size)


def revoke(db: Session, settings: Settings, release_id: str, *, actor: str, reason: str) -> None:
    """Takes a release back for good: its links die at once. By a steward of its data, a lead steward or an admin."""
    release = get_release(db, release_id)
    request = get_request(db, release.request_id, lock=True)
    check_may_hold(caller(db, settings, actor), request)
    reason = said(reason, "Why the release is revoked")
    advance(db, request, Step.Revoke, actor=actor, release=release.id, reason=reason)
    release.revoked_at, release.revoked_by, release.reason = clock.now(), actor, reason
    request.reason = reason
    kill_links(db, release.id)


def kill_links(db: Session, release_id: str) -> int:
    """Ends every unused link of a release; returns how many."""
    rows = db.scalars(
        select(DownloadLink).where(
            DownloadLink.release_id == release_id, DownloadLink.used_at.is_(None), DownloadLink.killed_at.is_(None)
        )
    ).all()
    for row in rows:
        row.killed_at = clock.now()
    db.flush()
    return len(rows)


def expire_due(db: Session) -> list[str]:
    """Ends the releases whose time for downloading is over; returns their ids."""
    query = (
        select(Release)
        .join(ReleaseRequest, ReleaseRequest.id == Release.request_id)
        .where(Release.expires_at <= clock.now(), ReleaseRequest.state == State.Released.value)
        .order_by(Release.id)
    )
    over = list(db.scalars(query))
    for release in over:
        advance(db, get_request(db, release.request_id, lock=True), Step.Expire, actor="<gate>", release=release.id)
        kill_links(db, release.id)
    return [release.id for release in over]


def _make_bundle(engine: Engine, settings: Settings, release_id: str, actor: str) -> None:
    """Packs the bundle at the first demand, with no transaction open while it is written."""
    with reading(engine) as db:
        release = get_release(db, release_id)
        proven = check_gate(db, settings, release, person=actor)
        if release.bundle_sha256 is not None:
            return
        data = bundle.build(db, settings, release, proven)
    blob = Store(settings.store).put([data])
    with writing(engine) as db:
        release = get_release(db, release_id)
        if release.bundle_sha256 is None:
            release.bundle_sha256 = blob.sha256
            details = {"bundle_sha256": blob.sha256}
            audit.record(db, Act.ReleaseSigned, actor="<gate>", subject=f"release:{release.id}", details=details)


@contextmanager
def _refusals_audited(engine: Engine, release_id: str, actor: str) -> Iterator[None]:
    """A refusal rolls its transaction back; here it is written to the log in one of its own."""
    try:
        yield
    except EgressError as error:
        with writing(engine) as db:
            details = {"reason": str(error)}
            audit.record(db, Act.ReleaseRefused, actor=actor, subject=f"release:{release_id}", details=details)
        raise


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
