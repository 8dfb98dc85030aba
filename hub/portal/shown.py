"""Previews of submitted files as pages show them: made in the sandbox, cut to size, metered, kept for some minutes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy import select

from access_control import changes, clock
from egress_review import reviews
from egress_review.errors import NotFound, Refused
from egress_review.previews import Preview, PreviewTable, preview
from egress_review.records import get_request
from egress_review.snapshot import WorkspaceFile, list_workspace
from hub.portal.context import Portal
from hub.portal.models import PreviewUsage

MOST_ROWS = 200
MOST_COLUMNS = 60
MOST_CELL = 200
MOST_TEXT = 60_000
MOST_IMAGES = 12
# An author looks at their files in the session, within its budgets. Previews of them, and names that a session can
# write anything into, are no second way round those: a day's part of what a reviewer may be shown.
OWN_PART = 20
KEPT = 24

_kept: OrderedDict[tuple[str, str], Preview] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class Shown:
    """A preview that was cut to what a page shows; `cut` says that there is more than what is shown."""

    preview: Preview
    cut: bool


def cut_down(whole: Preview) -> Shown:
    """The part of a preview that a page shows."""
    tables = [
        PreviewTable(
            name=table.name[:MOST_CELL],
            header=[cell[:MOST_CELL] for cell in table.header[:MOST_COLUMNS]],
            rows=[[cell[:MOST_CELL] for cell in row[:MOST_COLUMNS]] for row in table.rows[:MOST_ROWS]],
            rows_total=table.rows_total,
        )
        for table in whole.tables
    ]
    cut = (
        any(table.rows_total > len(table.rows) for table in tables)
        or any(len(table.header) > MOST_COLUMNS for table in whole.tables)
        or len(whole.text) > MOST_TEXT
        or len(whole.images) > MOST_IMAGES
    )
    part = Preview(whole.kind, tables, whole.text[:MOST_TEXT], whole.images[:MOST_IMAGES], whole.note)
    return Shown(part, cut)


def size_of(part: Preview) -> int:
    """The bytes of a preview, for the meter."""
    cells = sum(len(cell) for table in part.tables for row in table.rows for cell in row)
    return cells + len(part.text) + sum(len(image) for image in part.images)


def meter(portal: Portal, person: str, size: int, *, own: bool = False) -> None:
    """Counts what a person is shown today, of `own` files far less; raises Refused when it is more than is needed."""
    today = clock.today()
    with portal.writing() as db:
        changes.queue(db)  # a page asks for several previews at once
        row = db.scalars(
            select(PreviewUsage).where(PreviewUsage.person_id == person, PreviewUsage.day == today)
        ).one_or_none()
        if row is None:
            row = PreviewUsage(person_id=person, day=today, bytes=0)
            db.add(row)
        if own and row.bytes + size > most_of_own(portal):
            raise Refused("You have been shown enough of your own files here today. Look at them in your session.")
        if row.bytes + size > portal.settings.egress.preview_bytes_per_day:
            raise Refused("You have been shown more previews today than reviewing needs. Go on tomorrow.")
        row.bytes += size


def most_of_own(portal: Portal) -> int:
    """How many bytes of their own files, and of their names, a person is shown a day."""
    return portal.settings.egress.preview_bytes_per_day // OWN_PART


def list_own(portal: Portal, project: str, person: str) -> list[WorkspaceFile]:
    """The files of a person's own workspace, whose names are counted as previews are."""
    files = list_workspace(portal.settings.workspaces, project, person)
    meter(portal, person, sum(len(file.name) + len(file.problem) for file in files), own=True)
    return files


def _is_own(portal: Portal, request_id: str, viewer: str) -> bool:
    with portal.reading() as db:
        return get_request(db, request_id).author_id == viewer


def show(portal: Portal, request_id: str, file_id: int, viewer: str) -> Shown:
    """The preview of a file of a request for somebody who may see it; each call is audited and metered."""
    with portal.writing() as db:
        path, kind = reviews.original_of(db, portal.settings, request_id, file_id, viewer=viewer)
    key = (path.name, kind)
    with _lock:
        whole = _kept.get(key)
    if whole is None:
        whole = preview(path, kind, portal.settings)
        if not whole.note:  # what could not be shown once, for want of time perhaps, is tried again
            with _lock:
                _kept[key] = whole
                while len(_kept) > KEPT:
                    _kept.popitem(last=False)
    part = cut_down(whole)
    size = size_of(Preview(kind, part.preview.tables, part.preview.text))
    meter(portal, viewer, size, own=_is_own(portal, request_id, viewer))
    return part


def image(portal: Portal, request_id: str, file_id: int, number: int, viewer: str) -> bytes:
    """One image of a preview: PNG that the sandbox encoded anew."""
    images = show(portal, request_id, file_id, viewer).preview.images
    if not 0 <= number < len(images):
        raise NotFound("This preview has no such image.")
    found = images[number]
    if not found.startswith(b"\x89PNG\r\n\x1a\n"):
        raise Refused("This image is not shown: it is no PNG.")
    meter(portal, viewer, len(found), own=_is_own(portal, request_id, viewer))
    return found
