"""`python -m hub.warden`: decides every running session anew at each change, each expiry and at midnight, and ends
what no longer holds.

First the gateway cuts (the person sees nothing more), then it is written down, then the containers go, side by side,
and the hub is told. The warden also keeps the gateway's leases fresh: when it stops, or cannot decide, the gateway
stops serving.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import httpx
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from access_control import clock
from access_control.agreements import expire_agreements
from access_control.database import open_database, reading, writing
from access_control.errors import AccessError
from access_control.keeper import PolicyKeeper
from access_control.models import ChangeCount, SessionRecord
from access_control.settings import Settings, load_settings
from access_control.transparency import Checkpointer
from egress_review.errors import EgressError
from hub import ports, schema
from hub.engine_room import EngineRoom
from hub.gateway.control import GatewayControl
from hub.keys import read_secret
from hub.revocation import Held, Lost, decide, freeze, record_cut, running, stale_requests
from hub.session_start import LIVE_STATES, mark_ended
from hub.upkeep import Upkeep
from hub.workspaces import remove_session_folder

log = logging.getLogger("hub.warden")
LOOK_SECONDS = 0.025
LOOK_SECONDS_ELSEWHERE = 0.1  # a query over the network
RENEW_SECONDS = 1.0
LEASE_SECONDS = 3.0
IDLE_LOOK_SECONDS = 15.0
CHECKPOINT_SECONDS = 60.0
REMOVERS = 24


class Watch:
    """Notices that the database changed, cheaply: SQLite's data_version, or the numbers that matter elsewhere."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._connection = engine.raw_connection() if self._sqlite else None
        self._last: object = None

    @property
    def seconds(self) -> float:
        """How long to wait between two looks."""
        return LOOK_SECONDS if self._sqlite else LOOK_SECONDS_ELSEWHERE

    def changed(self) -> bool:
        """Whether something was committed since the last call; True at the first."""
        now = self._look()
        before, self._last = self._last, now
        return now != before

    def _look(self) -> object:
        if self._connection is not None:
            cursor = self._connection.cursor()
            try:
                cursor.execute("PRAGMA data_version")
                return cursor.fetchone()
            finally:
                cursor.close()
        with reading(self._engine) as db:
            count = db.execute(select(ChangeCount.number).where(ChangeCount.id == 1)).scalar()
            live = select(func.count(), func.max(SessionRecord.started_at)).where(SessionRecord.state.in_(LIVE_STATES))
            return count, tuple(db.execute(live).one())

    def close(self) -> None:
        """Gives the connection back."""
        if self._connection is not None:
            self._connection.close()


class Warden:
    """Decides and ends. `hub_api` and `hub_token` are for telling the hub; without it the hub notices by itself."""

    def __init__(
        self, settings: Settings, engine: Engine, room: EngineRoom, *, hub_api: str = "", hub_token: str = ""
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.room = room
        self.keeper = PolicyKeeper(engine, settings.data_root)
        self.control = GatewayControl(settings.run / "gateway.sock")
        self._hub_api = hub_api.rstrip("/")
        self._hub_token = hub_token
        self._pool = ThreadPoolExecutor(REMOVERS, thread_name_prefix="warden")
        self._going: set[str] = set()
        self._going_lock = threading.Lock()
        self._decided: tuple[str, int, object] | None = None
        self._quiet = False

    def look(self) -> list[Lost]:
        """One round: decides every session, cuts those that no longer hold, renews the others' leases.

        Raises AccessError or SQLAlchemyError when nothing could be decided; no lease is renewed then.
        """
        today = clock.today()
        snapshot = self.keeper.current()
        with reading(self.engine) as db:
            sessions = running(db)
        with self._going_lock:
            sessions = [session for session in sessions if session.id not in self._going]
        found = {session.id: decide(snapshot, session, today) for session in sessions}
        lost = [verdict for verdict in found.values() if verdict is not None]
        self._cut({verdict.session.id: verdict.reason for verdict in lost})
        keep = [session_id for session_id, verdict in found.items() if verdict is None]
        self._renew(keep)
        for verdict in lost:
            self._end(verdict)
        decided = (snapshot.digest, snapshot.change, today)
        if decided != self._decided:
            with reading(self.engine) as db:
                stale = stale_requests(db, snapshot, today)
            if stale:
                with writing(self.engine) as db:
                    frozen = freeze(db, stale)
                log.warning("frozen: %s", ", ".join(frozen))
            if self._decided is None or self._decided[2] != today:
                # Their rows open nothing since their last day; this writes it down.
                with writing(self.engine) as db:
                    expire_agreements(db)
            self._decided = decided
        return lost

    def _cut(self, reasons: dict[str, str]) -> None:
        if not reasons:
            return
        try:
            self.control.cut_many(reasons)
        except AccessError as error:
            log.error("%s", error)  # noqa: TRY400 - its lease runs out, and the container goes in any case

    @property
    def decided_on(self) -> object:
        """What the last round decided on: the policy, the change of facts, the day; None before the first."""
        return self._decided

    def _renew(self, ids: list[str]) -> None:
        try:
            self.control.renew(ids, LEASE_SECONDS)
        except AccessError as error:
            if not self._quiet:
                log.warning("%s", error)
            self._quiet = True
        else:
            self._quiet = False

    def _end(self, lost: Lost) -> None:
        with self._going_lock:
            self._going.add(lost.session.id)
        self._pool.submit(self._end_session, lost)

    def _end_session(self, lost: Lost) -> None:
        """The rest of an end, in a thread: container first, as it is what can still compute on the data."""
        session = lost.session
        try:
            if session.container:
                self.room.remove(session.container)
            with writing(self.engine) as db:
                record_cut(db, lost)
            mark_ended(self.engine, session.id, lost.reason, actor="<warden>")
            remove_session_folder(self.settings, session.id)
            log.warning(
                "session %s of %s in %s was ended: %s", session.id, session.person, session.project, lost.reason
            )
            self._tell_hub(session)
        except (AccessError, SQLAlchemyError, OSError) as error:
            log.error("session %s could not be ended and is tried again: %s", session.id, error)  # noqa: TRY400
        finally:
            with self._going_lock:
                self._going.discard(session.id)

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

    def cull_idle(self) -> list[str]:
        """Ends sessions in which the person did nothing for long; returns their ids."""
        most = self.settings.session.idle_minutes * 60
        idle = {row["id"] for row in self.control.sessions() if row["idle_seconds"] > most}
        if not idle:
            return []
        with reading(self.engine) as db:
            sessions = [session for session in running(db) if session.id in idle]
        reason = f"Nobody worked in it for {self.settings.session.idle_minutes} minutes. Your files are kept."
        self._cut({session.id: reason for session in sessions})
        for session in sessions:
            self._end(Lost(session, (), reason))
        return [session.id for session in sessions]

    def wait(self) -> None:
        """Waits until what was begun is ended; for tests and measurements."""
        while True:
            with self._going_lock:
                if not self._going:
                    return
            time.sleep(0.005)

    def close(self) -> None:
        """Waits for what was begun."""
        self._pool.shutdown(wait=True)


def run(warden: Warden, stop: threading.Event) -> None:
    """Looks at each change and each second, until told to stop; nothing that goes wrong in a round ends the warden."""
    watch = Watch(warden.engine)
    upkeep = Upkeep(warden.engine, warden.settings, stop)
    upkeep.start()
    checkpointer = Checkpointer(warden.engine, warden.settings)
    next_round = next_idle = next_checkpoint = 0.0
    while not stop.is_set():
        now = time.monotonic()
        try:
            if watch.changed() or now >= next_round:
                next_round = now + RENEW_SECONDS
                before = warden.decided_on
                warden.look()
                if warden.decided_on != before:
                    upkeep.wake()
            if now >= next_idle:
                next_idle = now + IDLE_LOOK_SECONDS
                warden.cull_idle()
            if now >= next_checkpoint:
                next_checkpoint = now + CHECKPOINT_SECONDS
                checkpointer.checkpoint()
        except (AccessError, EgressError, SQLAlchemyError) as error:
            log.error("%s", error)  # noqa: TRY400 - a sentence; leases run out while it lasts
            stop.wait(0.5)
        except Exception:
            log.exception("a round of the warden failed; no lease is renewed until one goes through")
            stop.wait(0.5)
        stop.wait(watch.seconds)
    watch.close()
    warden.close()


def main() -> int:
    """Runs the warden; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stop = threading.Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, told)
    try:
        settings = load_settings()
        engine = open_database(settings.database)
        schema.create_tables(engine)
        hub_api = ports.load_ports(settings).url("hub") + "/hub/api"
        token = read_secret(settings, "warden.token")
        warden = Warden(settings, engine, EngineRoom(settings), hub_api=hub_api, hub_token=token)
        run(warden, stop)
    except AccessError as error:
        log.error("%s", error)  # noqa: TRY400 - a sentence for the operator, not a stack
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
