"""The one holder of the snapshot in force: re-reads when something changed, swaps one reference, says no in doubt."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from access_control.snapshot import Snapshot


class PolicyKeeper:
    """Thread-safe; one a process. Its snapshots never decide for a day before the latest one this process has seen."""

    def __init__(self, engine: Engine, data_root: Path) -> None:
        self._engine = engine
        self._data_root = data_root

    def current(self) -> Snapshot:
        """The snapshot in force at this moment (one small query when nothing changed).

        Raises Refused when the policy cannot be read or is invalid: whoever asked must then allow nothing.
        """
        raise NotImplementedError
