"""`python -m hub.warden`: decides every running session anew at each change, each expiry and at midnight, and ends
what no longer holds.

First the gateway cuts (the person sees nothing more), then the containers end (`hub.ending`). Where the tier allows it
the person is warned some seconds before; the gateway then cuts by itself when they are over. The warden also keeps the
gateway's leases fresh: when it stops, or cannot decide, the gateway stops serving.
"""

from __future__ import annotations

import logging
import math
import signal
import sys
import threading
import time
from dataclasses import replace
from types import FrameType

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from access_control import clock
from access_control.agreements import expire_agreements
from access_control.database import open_database, reading, writing
from access_control.errors import AccessError
from access_control.keeper import PolicyKeeper
from access_control.models import ChangeCount, SessionRecord
from access_control.settings import Settings, load_settings
from access_control.snapshot import Snapshot
from access_control.transparency import Checkpointer
from egress_review.errors import EgressError
from hub import ports, schema
from hub.ending import Ending
from hub.engine_room import EngineRoom
from hub.gateway.control import GatewayControl
from hub.keys import read_secret
from hub.out_of_memory import MemoryWatch
from hub.revocation import Held, Lost, decide, freeze, running, stale_requests, warning_seconds
from hub.session_start import LIVE_STATES
from hub.upkeep import Upkeep

log = logging.getLogger("hub.warden")
LOOK_SECONDS = 0.025
LOOK_SECONDS_ELSEWHERE = 0.1  # a query over the network
RENEW_SECONDS = 1.0
LEASE_SECONDS = 3.0
IDLE_LOOK_SECONDS = 15.0
CHECKPOINT_SECONDS = 60.0


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
        self.ending = Ending(settings, engine, room, hub_api=hub_api, hub_token=hub_token)
        self._warned: dict[str, tuple[float, Lost]] = {}  # when each that was warned is cut, and why
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
        going = self.ending.going()
        sessions = [session for session in sessions if session.id not in going]
        verdicts = {session.id: self._verdict(decide(snapshot, session, today), session) for session in sessions}
        lost = self._after_warning(snapshot, [verdict for verdict in verdicts.values() if verdict is not None])
        ending = {verdict.session.id for verdict in lost}
        self._cut({verdict.session.id: verdict.reason for verdict in lost})
        self._renew([session.id for session in sessions if session.id not in ending])
        self.ending.begin(lost)
        self._warned = {
            known: what for known, what in self._warned.items() if known in verdicts and known not in ending
        }
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

    def _verdict(self, verdict: Lost | None, session: Held) -> Lost | None:
        """A session that was warned ends, also when its grant came back meanwhile: the gateway will cut it."""
        if verdict is None and session.id in self._warned:
            return self._warned[session.id][1]
        return verdict

    def _after_warning(self, snapshot: Snapshot, lost: list[Lost]) -> list[Lost]:
        """Those that end now. The others are warned, once; without a gateway that warns them they end now too."""
        now, at_once, warn = time.monotonic(), [], []
        for verdict in lost:
            seconds = warning_seconds(self.settings, snapshot, verdict.session)
            cut_at, known = self._warned.get(verdict.session.id, (0.0, verdict))
            if not seconds:
                at_once.append(verdict)
            elif not cut_at:
                warn.append(replace(verdict, warned=seconds))
            elif now >= cut_at:
                at_once.append(known)
        try:
            told = self.control.warn({one.session.id: (one.reason, one.warned) for one in warn}) if warn else []
        except AccessError as error:
            log.error("%s", error)  # noqa: TRY400 - they are cut without a warning
            told = []
        for verdict in warn:
            if verdict.session.id in told:
                self._warned[verdict.session.id] = (now + verdict.warned, verdict)
            else:
                at_once.append(replace(verdict, warned=0))
        return at_once

    @property
    def next_cut(self) -> float:
        """Monotonic time at which the first of the warned sessions has to end; infinite when there is none."""
        return min((cut_at for cut_at, _ in self._warned.values()), default=math.inf)

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

    def cull_idle(self) -> list[str]:
        """Ends sessions in which the person did nothing for long and no kernel computes; returns their ids.

        What computes is the session's own word, so it counts for `session.unattended_hours` at most.
        """
        most = self.settings.session.idle_minutes * 60
        longest = self.settings.session.unattended_hours * 3600
        idle = {row["id"]: row["idle_seconds"] for row in self.control.sessions() if row["idle_seconds"] > most}
        unattended = [session_id for session_id, seconds in idle.items() if seconds <= longest]
        at_work = set(self.control.at_work(unattended, most)) if unattended else set()
        if not idle.keys() - at_work:
            return []
        with reading(self.engine) as db:
            sessions = [session for session in running(db) if session.id in idle and session.id not in at_work]
        reason = f"Nobody worked in it for {self.settings.session.idle_minutes} minutes. Your files are kept."
        self._cut({session.id: reason for session in sessions})
        self.ending.begin([Lost(session, (), reason) for session in sessions])
        return [session.id for session in sessions]

    def wait(self) -> None:
        """Waits until what was begun is ended; for tests and measurements."""
        self.ending.wait()

    def close(self) -> None:
        """Waits for what was begun."""
        self.ending.close()


def run(warden: Warden, stop: threading.Event) -> None:
    """Looks at each change and each second, until told to stop; nothing that goes wrong in a round ends the warden."""
    watch = Watch(warden.engine)
    upkeep = Upkeep(warden.engine, warden.settings, stop)
    upkeep.start()
    MemoryWatch(warden.settings, warden.room).start()
    checkpointer = Checkpointer(warden.engine, warden.settings)
    threading.Thread(target=warden.ending.connect, name="connect", daemon=True).start()
    next_round = next_idle = next_checkpoint = 0.0
    while not stop.is_set():
        now = time.monotonic()
        try:
            if watch.changed() or now >= min(next_round, warden.next_cut):
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
