"""`python -m hub.gateway`: runs the gateway until it is told to stop."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from sqlalchemy import select

from access_control.database import open_database, reading
from access_control.errors import AccessError
from access_control.models import SessionRecord
from access_control.settings import Settings, load_settings
from hub import keys, ports, schema
from hub.gateway import kernels, screen, static_files
from hub.gateway.app import Gateway
from hub.gateway.budgets import Budgets, Level
from hub.gateway.control import control_app
from hub.gateway.incidents import IncidentBook
from hub.gateway.routes_to_proxy import ProxyRoutes
from hub.gateway.sessions import LiveSession, SessionRegistry
from hub.tickets import read_key

log = logging.getLogger("hub.gateway")
SAVE_SECONDS = 30
LEASE_LOOK_SECONDS = 0.25
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


class Program:
    """The gateway as a process: its two listeners, its loops, and its end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine = open_database(settings.database)
        schema.create_tables(self.engine)
        self.registry = SessionRegistry()
        self.budgets = Budgets(settings.tiers, self._on_level)
        self.book = IncidentBook(self.engine, self.budgets, self.registry)
        static_files.prepare_from_image(settings)
        self.gateway = Gateway(
            settings=settings,
            registry=self.registry,
            budgets=self.budgets,
            key=read_key(settings.keys / "ticket.key"),
            files=static_files.TrustedFiles(static_files.folder_of(settings)),
            viewer=screen.load_viewer(settings),
        )
        used = ports.load_ports(settings)
        self.port = used.gateway
        self.routes = ProxyRoutes(
            used.url("proxy_api"),
            keys.read_secret(settings, "proxy.token"),
            settings.web,
            used.url("gateway"),
            self.registry,
        )
        self.gateway.has_route = self.routes.has
        self._background: set[asyncio.Task[None]] = set()

    def _on_level(self, session: LiveSession, level: Level, sentence: str) -> None:
        self.book.passed(session, level, sentence)
        if level is Level.Paused:
            log.warning("session %s of %s is paused: its budget is passed", session.id, session.person)

    def _on_change(self, session: LiveSession | None, ended: str | None) -> None:
        del session
        self.routes.changed()
        if ended is not None:
            task = asyncio.get_running_loop().create_task(self.gateway.forget(ended))
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def _at_work(self, session: LiveSession, seconds: float) -> bool:
        if self.settings.tiers[session.tier].pixels_only:
            return False  # what answers there is a screen
        return await kernels.at_work(self.gateway.upstream(session), seconds)

    def restore(self) -> None:
        """Takes up the sessions that were running when the gateway stopped."""
        with reading(self.engine) as db:
            rows = db.scalars(select(SessionRecord).where(SessionRecord.state.in_(("starting", "running")))).all()
        for row in rows:
            if row.socket:
                with suppress(AccessError):
                    self.registry.register(
                        LiveSession(
                            id=row.id,
                            person=row.person_id,
                            project=row.project_id,
                            tier=row.tier,
                            socket=Path(row.socket),
                            uid=self.settings.session.uid,
                        )
                    )
        self.book.restore()

    async def _save_often(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            try:
                await self.book.save()
            except Exception:
                log.exception("today's usage could not be written; it will be tried again")

    async def _close_stale(self) -> None:
        """A lease that ran out closes what is open, so that a warden that stopped does not leave websockets behind."""
        while True:
            await asyncio.sleep(LEASE_LOOK_SECONDS)
            for session in self.registry.stale():
                log.warning("session %s: its lease ran out, closing what is open", session.id)
                for close in list(session.closers):
                    close("the lease ran out")

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT."""
        self.restore()
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        server = web.Server(
            self.gateway.handle,
            access_log=None,
            max_line_size=8190,
            max_field_size=8190,
            max_headers=64,
            keepalive_timeout=75,
            lingering_time=2.0,
            read_bufsize=64 * 1024,
            auto_decompress=False,
        )
        runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await runner.setup()
        control = web.AppRunner(control_app(self.registry, self.book, self._on_change, self._at_work), access_log=None)
        await control.setup()
        path = self.settings.run / "gateway.sock"
        with suppress(FileNotFoundError):
            path.unlink()
        before = os.umask(0o177)
        try:
            await web.UnixSite(control, str(path)).start()
        finally:
            os.umask(before)
        await web.TCPSite(runner, "127.0.0.1", self.port, backlog=512).start()
        loops = [asyncio.create_task(one) for one in (self.routes.run(), self._save_often(), self._close_stale())]
        log.info("the gateway serves %d sessions on 127.0.0.1:%d", len(self.registry.all()), self.port)
        # Modules and settings stay for good: a walk over all of them, now and then, would hold a request up.
        gc.collect()
        gc.freeze()
        await stop.wait()
        for loop in loops:
            loop.cancel()
        await self.book.save()
        await control.cleanup()
        await runner.cleanup()
        for session in self.registry.all():
            await self.gateway.forget(session.id)
        await self.gateway.close()


def keep_memory_flat() -> None:
    """Two malloc arenas, and freed memory back to the system: large bodies come and go in this process."""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_ARENA_MAX, 2)
        libc.mallopt(_M_TRIM_THRESHOLD, 1024 * 1024)
        libc.mallopt(_M_MMAP_THRESHOLD, 256 * 1024)


def main() -> int:
    """Runs the gateway; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    keep_memory_flat()
    try:
        asyncio.run(Program(load_settings()).run())
    except AccessError as error:
        log.error("%s", error)  # noqa: TRY400 - a sentence for the operator, not a stack
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
