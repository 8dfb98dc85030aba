"""A real enclave for tests: every program, real logins, real containers, on a free port and in a folder of its own.

Import it as `from tests.running import Enclave`; the fixture `enclave` in tests/conftest.py gives one that integration,
browser and attack tests share. Tests that break things make their own with `Enclave.start(folder)`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine

from access_control.database import reading, writing
from access_control.models import SessionRecord
from access_control.settings import Settings, load_settings
from hub import keys, ports, prepare, supervisor
from hub.demo.prepare import build_world
from hub.demo.stage import close_sessions
from hub.session_start import live_sessions
from hub.tour.browser import Browser, Secret

PATIENCE = 90.0


def wait_for(what: str, condition: Any, seconds: float = PATIENCE, pause: float = 0.1) -> Any:
    """Polls until `condition()` is true and returns it; fails with `what` and the last value."""
    deadline = time.monotonic() + seconds
    last: Any = None
    while time.monotonic() < deadline:
        last = condition()
        if last:
            return last
        time.sleep(pause)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}; the last value was {last!r}")


@dataclass
class Enclave:
    """A running enclave; `settings` and `engine` look at the very state that its programs use."""

    folder: Path
    settings: Settings
    engine: Engine
    config: Path
    process: subprocess.Popen[bytes] | None = None
    browsers: dict[str, Browser] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)  # for its programs, besides this process's

    @classmethod
    def prepare(cls, folder: Path, more: str = "", database_url: str = "") -> Enclave:
        """An enclave with the demo's world that is not started yet; `more` is TOML for its settings."""
        config = prepare.write_settings_file(
            folder / "enclave.toml",
            data_root=folder / "data",
            port=ports.free_port(),
            database_url=database_url,
            more=more,
        )
        settings = load_settings(config)
        engine, _ = prepare.prepare(settings)
        build_world(engine, settings)
        return cls(folder, settings, engine, config)

    @classmethod
    def start(cls, folder: Path, more: str = "", database_url: str = "") -> Enclave:
        """An enclave with the demo's world, running; on SQLite unless another database is named."""
        enclave = cls.prepare(folder, more, database_url)
        enclave.up()
        return enclave

    def up(self) -> None:
        """Starts the programs and waits until all of them answer."""
        log = (self.folder / "supervisor.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", "run", "--quiet"],
            env={**os.environ, **self.environment, "ENCLAVE_CONFIG": str(self.config)},
            stdout=log,
            stderr=log,
            preexec_fn=supervisor.die_with_parent,  # noqa: PLW1509 - this process forks from its main thread
        )
        supervisor.wait_until_up(
            self.settings, PATIENCE * 2, alive=lambda: self.process is None or self.process.poll() is None
        )

    def down(self) -> None:
        """Stops the programs; sessions stay."""
        for browser in self.browsers.values():
            browser.close()
        self.browsers.clear()
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def close(self) -> None:
        """Stops everything and removes every trace."""
        self.down()
        close_sessions(self.settings)
        self.engine.dispose()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- people ------------------------------------------------------------------------------------------------------

    def secret(self, person: str) -> Secret:
        """Password and one-time seed of a demo person."""
        known = keys.demo_credentials(self.settings, [person])[person]
        return Secret(known.password, known.totp_seed)

    def browser(self, person: str, path: str = "/services/portal/") -> Browser:
        """A new browser of that person, logged in at the hub through the provider, at that page."""
        browser = Browser(self.settings.web.origin)
        browser.log_in(person, self.secret(person), path)
        return browser

    def signed_in(self, person: str) -> Browser:
        """The person's browser, kept between calls so that not every test logs in anew."""
        if person not in self.browsers:
            self.browsers[person] = self.browser(person)
        return self.browsers[person]

    # -- sessions ----------------------------------------------------------------------------------------------------

    @property
    def hub(self) -> httpx.Client:
        """JupyterHub's API with the portal's token: what the portal itself does."""
        token = keys.read_secret(self.settings, "portal.token")
        address = ports.load_ports(self.settings).url("hub")
        return httpx.Client(base_url=f"{address}/hub/api", headers={"Authorization": f"token {token}"}, timeout=120)

    def server(self, person: str, project: str) -> dict[str, Any] | None:
        """The hub's own model of a session; None when it knows of none."""
        with self.hub as hub:
            answer = hub.get(f"/users/{person}")
        found: dict[str, Any] | None = answer.json().get("servers", {}).get(project) if answer.is_success else None
        return found

    def stop_session(self, person: str, project: str) -> None:
        """Ends the session, whatever state it is in, and waits until hub and database agree that it is gone."""

        def gone() -> bool:
            model = self.server(person, project)
            if model is not None and (model.get("ready") or model.get("pending")):
                if model.get("pending") is None:
                    with self.hub as hub:
                        hub.delete(f"/users/{person}/servers/{project}")
                return False
            with reading(self.engine) as db:
                return not live_sessions(db, person, project)

        wait_for(f"the end of {person}'s session in {project}", gone)

    def ask_session(self, person: str, project: str) -> httpx.Response:
        """Asks for a session and returns the hub's first answer, good or bad."""
        self.known(person)
        self.stop_session(person, project)
        with self.hub as hub:
            return hub.post(f"/users/{person}/servers/{project}", json={})

    def start_session(self, person: str, project: str) -> SessionRecord:
        """A fresh session of that person in that project, running; one that was there is ended first."""
        answer = self.ask_session(person, project)
        assert answer.status_code in (201, 202), f"{answer.status_code} {answer.text}"

        def ready() -> SessionRecord | None:
            model = self.server(person, project)
            if model is None or not model.get("ready"):
                assert (model or {}).get("pending"), f"the session did not start: {self.tail('hub')}"
                return None
            return self.session(person, project)

        record: SessionRecord = wait_for(f"{person}'s session in {project}", ready)
        return record

    def session(self, person: str, project: str) -> SessionRecord | None:
        """The record of the session that runs now."""
        with reading(self.engine) as db:
            found = live_sessions(db, person, project)
            for record in found:
                db.expunge(record)
            return found[0] if found else None

    @contextlib.contextmanager
    def running_session(self, person: str, project: str) -> Iterator[SessionRecord]:
        """A session for the length of a `with`."""
        try:
            yield self.start_session(person, project)
        finally:
            self.stop_session(person, project)

    def known(self, person: str) -> None:
        """Makes sure that the hub knows the person: they have logged in once."""
        with self.hub as hub:
            if hub.get(f"/users/{person}").is_success:
                return
        self.browser(person).close()

    def inside(self, session_id: str, command: list[str], *, user: str | None = None) -> tuple[int, str]:
        """Runs a command in a session's container, as the researcher's code would; returns its code and output."""
        who = ["--user", user] if user else []
        done = subprocess.run(
            ["docker", "exec", *who, f"enclave-{session_id}", *command],
            check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
        )  # fmt: skip
        return done.returncode, done.stdout

    # -- evidence ----------------------------------------------------------------------------------------------------

    def audit(self, act: str = "") -> list[dict[str, Any]]:
        """Entries of the log, oldest first, of one act where it is given."""
        from access_control.audit import AuditEntry

        with reading(self.engine) as db:
            rows = [json.loads(row.body) for row in db.query(AuditEntry).order_by(AuditEntry.seq)]
        return [row for row in rows if not act or row["act"] == act]

    def tail(self, program: str, lines: int = 30) -> str:
        """The end of a program's log."""
        path = self.settings.logs / f"{program}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def pid(self, program: str) -> int:
        """The process of a program; 0 while it is being started again."""
        state = json.loads((self.settings.run / "programs.json").read_text())
        return int(state["programs"][program]["pid"] or 0)

    def kill(self, program: str) -> None:
        """Kills a program outright, and waits until the supervisor has started another and everything answers."""
        before = self.pid(program)
        os.kill(before, signal.SIGKILL)
        wait_for(f"another {program}", lambda: self.pid(program) not in (0, before))
        supervisor.wait_until_up(self.settings, PATIENCE * 2)

    def writing(self) -> Any:
        """A transaction on the enclave's database: `with enclave.writing() as db`."""
        return writing(self.engine)

    def reading(self) -> Any:
        """As `writing`, for reading."""
        return reading(self.engine)
