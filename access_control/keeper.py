"""The one holder of the snapshot in force: re-reads when something changed, swaps one reference, says no in doubt."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from access_control import clock, enforcer
from access_control.database import reading
from access_control.errors import Refused
from access_control.loading import read_change
from access_control.snapshot import Snapshot, load_snapshot


class LatestDay:
    """The latest day that this process has seen: a clock that jumps back does not reopen what has expired.

    It lives as long as the process does, so that after a clock that was wrong in the future a restart is the remedy.
    """

    def __init__(self) -> None:
        self._day = date.min
        self._lock = threading.Lock()

    def __call__(self) -> date:
        today = clock.today()
        if today > self._day:
            with self._lock:
                self._day = max(self._day, today)
        return self._day


class PolicyKeeper:
    """Thread-safe; one a process. Its snapshots never decide for a day before the latest one this process has seen."""

    def __init__(self, engine: Engine, data_root: Path) -> None:
        """Raises Refused when the model or the installation is not what it must be: then nothing may start."""
        enforcer.check_installation()
        enforcer.check_model_file()
        self._engine = engine
        self._data_root = data_root
        self._latest_day = LatestDay()
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None

    def current(self) -> Snapshot:
        """The snapshot in force at this moment (one small query when nothing changed).

        Raises Refused when the policy cannot be read or is invalid: whoever asked must then allow nothing.
        """
        try:
            with reading(self._engine) as db:
                snapshot = self._snapshot
                if snapshot is not None and snapshot.change == read_change(db):
                    return snapshot
            with self._lock, reading(self._engine) as db:
                snapshot = self._snapshot
                if snapshot is None or snapshot.change != read_change(db):
                    snapshot = load_snapshot(db, self._data_root, snapshot).guarded(self._latest_day)
                    self._snapshot = snapshot
                return snapshot
        except Refused:
            raise
        except SQLAlchemyError as error:
            raise Refused(
                f"The policy cannot be read, so nothing is allowed: {type(error).__name__}: {error}"
            ) from error
        except Exception as error:
            raise Refused(f"The policy cannot be used, so nothing is allowed: {error}") from error
