"""What has to be done now and then, and by nobody in particular: the warden runs it beside its rounds.

Renditions that are keyed by project are written when an agreement opens them to one; what a program that died has left
in the review queue (checks to run, approvals to release, releases that are over) is taken up; and people are told by
e-mail what waits for them.
"""

from __future__ import annotations

import logging
import threading

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from access_control.database import reading, writing
from access_control.errors import AccessError
from access_control.models import Agreement, Rendition
from access_control.rendition_writer import stage_rendition
from access_control.renditions import current_version, plan_version, register_version
from access_control.settings import Settings
from egress_review import requests
from egress_review.errors import EgressError
from hub.notices import delivery as notices

log = logging.getLogger("hub.warden")
EVERY_SECONDS = 300.0
ACTOR = "<warden>"


def missing_renditions(db: Session) -> list[tuple[str, str]]:
    """Each (rendition, project) that an active agreement opens and that was never written for that project."""
    keyed = set(db.scalars(select(Rendition.id).where(Rendition.per_project)))
    found: list[tuple[str, str]] = []
    for agreement in db.scalars(select(Agreement).where(Agreement.state == "active").order_by(Agreement.id)):
        for rendition in agreement.renditions:
            pair = (rendition, agreement.project_id)
            if rendition in keyed and pair not in found and current_version(db, *pair) is None:
                found.append(pair)
    return found


def write_missing_renditions(engine: Engine, settings: Settings) -> list[str]:
    """Writes what is missing, each outside of any transaction; returns a sentence for each that could not be."""
    with reading(engine) as db:
        missing = missing_renditions(db)
    problems = []
    for rendition, project in missing:
        try:
            with reading(engine) as db:
                plan = plan_version(db, settings, rendition, project)
            staged = stage_rendition(settings, plan)
            with writing(engine) as db:
                register_version(db, settings, staged, actor=ACTOR)
        except (AccessError, OSError) as error:
            problems.append(f"{rendition} was not written for {project}: {error}")
        else:
            log.info("%s was written for %s", rendition, project)
    return problems


def upkeep(engine: Engine, settings: Settings) -> list[str]:
    """All of it once; returns a sentence for each thing that could not be done."""
    return [
        *write_missing_renditions(engine, settings),
        *requests.resume(engine, settings),
        *notices.deliver(engine, settings),
    ]


class Upkeep(threading.Thread):
    """Runs `upkeep` at the start, after each change that `wake` tells of, and every few minutes, until told to stop."""

    def __init__(self, engine: Engine, settings: Settings, stop: threading.Event) -> None:
        super().__init__(name="upkeep", daemon=True)
        self._engine, self._settings, self._stopping = engine, settings, stop
        self._wake = threading.Event()

    def wake(self) -> None:
        """The policy changed: an agreement may have opened a rendition that is not written yet."""
        self._wake.set()

    def run(self) -> None:
        """The thread's loop; nothing that goes wrong in it ends the warden."""
        everything = True
        while not self._stopping.is_set():
            try:
                work = upkeep if everything else write_missing_renditions
                for problem in work(self._engine, self._settings):
                    log.warning("%s", problem)
            except (AccessError, EgressError, SQLAlchemyError, OSError):
                log.exception("upkeep failed and is tried again")
            everything = not self._wake.wait(EVERY_SECONDS)
            self._wake.clear()
