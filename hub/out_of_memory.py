"""Tells people that a program of their session was ended because memory ran out: JupyterLab only sees a kernel die."""

from __future__ import annotations

import logging
import threading
import time

import requests
from docker.errors import DockerException

from access_control.errors import AccessError
from access_control.settings import Settings
from hub.engine_room import EngineRoom
from hub.gateway.control import GatewayControl

log = logging.getLogger("hub.warden")
AGAIN_SECONDS = 5.0  # after the Engine stopped telling
ONCE_SECONDS = 5.0  # in which a session is told once, however many of its programs end


def sentence(settings: Settings) -> str:
    """What the page of the session says."""
    return (
        f"A program in this session took more memory than a session may have ({settings.session.memory_mib} MiB) and "
        "was ended. If it was a notebook's kernel, it starts anew and its variables are gone. Files are kept. Work on "
        "less data at once: fewer columns, or rows in pieces."
    )


class MemoryWatch:
    """Listens to Docker Engine in a thread of its own, for as long as the program runs."""

    def __init__(self, settings: Settings, room: EngineRoom) -> None:
        self._room = room
        self._sentence = sentence(settings)
        self._control = GatewayControl(settings.run / "gateway.sock")
        self._told: dict[str, float] = {}  # session -> monotonic time

    def start(self) -> None:
        """Begins to listen."""
        threading.Thread(target=self._listen, name="out-of-memory", daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                for session_id in self._room.out_of_memory():
                    self.tell(session_id)
            except (AccessError, DockerException, requests.exceptions.RequestException, OSError) as error:
                log.warning("Docker Engine does not tell of memory that ran out, and is asked again: %s", error)
            time.sleep(AGAIN_SECONDS)

    def tell(self, session_id: str) -> None:
        """Tells the page of a session, unless it was told just now."""
        now = time.monotonic()
        if now - self._told.get(session_id, -ONCE_SECONDS) < ONCE_SECONDS:
            return
        self._told = {one: when for one, when in self._told.items() if now - when < ONCE_SECONDS} | {session_id: now}
        log.info("session %s: a program took more memory than it may and was ended", session_id)
        try:
            self._control.tell_memory(session_id, self._sentence)
        except AccessError as error:
            log.warning("session %s is not told that memory ran out: %s", session_id, error)
