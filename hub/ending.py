"""How sessions end that lost their grant: all containers side by side, and the books in few transactions.

While the containers of those that end together are killed and removed, one transaction says that they were cut; they
are written off as they go, several in one transaction. To kill all first and to remove them then takes no less time,
until the last process is gone as well as until the last container is: the Engine's own work is what it takes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import httpx
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from access_control.database import writing
from access_control.errors import AccessError
from access_control.settings import Settings
from hub.engine_room import EngineRoom
from hub.revocation import Held, Lost, record_cut
from hub.session_start import record_end
from hub.workspaces import remove_session_folder

log = logging.getLogger("hub.warden")
REMOVERS = 24
BATCHES = 4


class Ending:
    """Ends sessions in threads. `hub_api` and `hub_token` are for telling the hub; without it the hub notices."""

    def __init__(
        self, settings: Settings, engine: Engine, room: EngineRoom, *, hub_api: str = "", hub_token: str = ""
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.room = room
        self._hub_api = hub_api.rstrip("/")
        self._hub_token = hub_token
        self._pool = ThreadPoolExecutor(REMOVERS, thread_name_prefix="warden")
        self._batches = ThreadPoolExecutor(BATCHES, thread_name_prefix="warden-batch")
        self._going: set[str] = set()
        self._going_lock = threading.Lock()

    def going(self) -> set[str]:
        """The sessions whose end has begun and is not over."""
        with self._going_lock:
            return set(self._going)

    def begin(self, lost: list[Lost]) -> None:
        """Ends them in threads; what cannot be ended stays on record, so that the next round finds it again."""
        if not lost:
            return
        with self._going_lock:
            self._going.update(verdict.session.id for verdict in lost)
        self._batches.submit(self._end_batch, lost)

    def _end_batch(self, lost: list[Lost]) -> None:
        """The rest of an end, in a thread: containers first, as they are what can still compute on the data."""
        try:
            removals: dict[Future[bool], Lost] = {self._pool.submit(self._remove, verdict): verdict for verdict in lost}
            self._write(lost, self._write_cuts)
            while removals:
                done, _ = wait(removals, return_when=FIRST_COMPLETED)
                finished = [(removals.pop(one), one.result()) for one in done]
                gone = [verdict for verdict, removed in finished if removed]
                if self._write(gone, self._write_ends):
                    self._after_end(gone)
                self._not_going([verdict for verdict, _ in finished])
        except Exception:
            log.exception("sessions could not be ended and are tried again")
        finally:
            self._not_going(lost)

    def _not_going(self, lost: list[Lost]) -> None:
        with self._going_lock:
            self._going.difference_update(verdict.session.id for verdict in lost)

    def _remove(self, lost: Lost) -> bool:
        try:
            if lost.session.container:
                self.room.remove(lost.session.container)
        except AccessError as error:
            log.error("session %s could not be ended and is tried again: %s", lost.session.id, error)  # noqa: TRY400
            return False
        return True

    def _write(self, lost: list[Lost], what: Callable[[Session, list[Lost]], None]) -> bool:
        """Writes of all of them in one transaction; what cannot be written is tried again with the next round."""
        if not lost:
            return True
        try:
            with writing(self.engine) as db:
                what(db, lost)
        except (AccessError, SQLAlchemyError) as error:
            log.error("the end of %d sessions is not written yet: %s", len(lost), error)  # noqa: TRY400
            return False
        return True

    @staticmethod
    def _write_cuts(db: Session, lost: list[Lost]) -> None:
        for verdict in lost:
            record_cut(db, verdict)

    @staticmethod
    def _write_ends(db: Session, lost: list[Lost]) -> None:
        for verdict in lost:
            record_cut(db, verdict)  # a second time does nothing
            record_end(db, verdict.session.id, verdict.reason, actor="<warden>")

    def _after_end(self, lost: list[Lost]) -> None:
        for verdict in lost:
            session = verdict.session
            log.warning(
                "session %s of %s in %s was ended: %s", session.id, session.person, session.project, verdict.reason
            )
            try:
                remove_session_folder(self.settings, session.id)
            except (AccessError, OSError) as error:
                log.warning("the folder of session %s is left: %s", session.id, error)
            self._pool.submit(self._tell_hub, session)

    def _tell_hub(self, session: Held) -> None:
        if not self._hub_api:
            return
        url = f"{self._hub_api}/users/{session.person}/servers/{session.project}"
        try:
            answer = httpx.delete(url, headers={"Authorization": f"token {self._hub_token}"}, timeout=10)
        except httpx.HTTPError as error:
            log.warning("the hub was not told of session %s; it notices by itself: %s", session.id, error)
            return
        if answer.status_code not in (202, 204, 404, 400):
            log.warning("the hub answered %d when told of session %s", answer.status_code, session.id)

    def wait(self) -> None:
        """Waits until what was begun is ended; for tests and measurements."""
        while True:
            with self._going_lock:
                if not self._going:
                    return
            time.sleep(0.005)

    def close(self) -> None:
        """Waits for what was begun."""
        self._batches.shutdown(wait=True)
        self._pool.shutdown(wait=True)

    def connect(self) -> None:
        """Connects every thread to the Engine ahead of need: when twenty end, connecting would take as long."""
        together = threading.Barrier(REMOVERS)

        def one() -> None:
            together.wait(10)
            self.room.connect()

        for begun in [self._pool.submit(one) for _ in range(REMOVERS)]:
            try:
                begun.result()
            except (AccessError, threading.BrokenBarrierError) as error:
                log.warning("not connected to Docker Engine yet: %s", error)
