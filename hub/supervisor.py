"""Keeps the programs running: starts them, logs each to its own file, starts again what ended, ends all when told to.

The programs die with the supervisor, however it dies; session containers belong to Docker Engine and stay.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import httpx

from access_control.errors import Refused
from access_control.settings import Settings
from hub.gateway.control import GatewayControl
from hub.keys import private_folder, write_private
from hub.ports import is_free, load_ports
from hub.programs import Program, base_environment

_PR_SET_PDEATHSIG = 1
SHORTEST_WAIT = 0.5
LONGEST_WAIT = 10.0
STOP_SECONDS = 15.0


def die_with_parent() -> None:
    """Asks the kernel to end this process when its parent ends; runs in the child before the program is loaded."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # A child of its own group, so that Ctrl-C at a terminal reaches the supervisor alone.
    os.setpgid(0, 0)


@dataclass
class Running:
    """A program with its process, and when it may be started again."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    wait: float = SHORTEST_WAIT
    next_start: float = 0.0
    started: float = 0.0
    starts: int = 0


@dataclass
class Supervisor:
    """Runs until `stop()`, which a signal calls."""

    settings: Settings
    programs: Sequence[Program]
    config_file: Path | None = None
    report: Callable[[str], None] = lambda _line: None
    _stopping: bool = False
    _running: list[Running] = field(default_factory=list)

    def run(self) -> None:
        """Starts everything and keeps it running; returns when all has ended after a stop."""
        private_folder(self.settings.logs)
        self._running = [Running(program) for program in self.programs]
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._on_signal)
        try:
            while not self._stopping:
                self.step(time.monotonic())
                time.sleep(0.1)
        finally:
            self.end_all()

    def stop(self) -> None:
        """Ends the loop of run()."""
        self._stopping = True

    def step(self, now: float) -> None:
        """One look at every program: starts what does not run and whose time has come."""
        changed = False
        for one in self._running:
            if one.process is not None:
                code = one.process.poll()
                if code is None:
                    continue
                self.report(f"{one.program.name} ended with code {code}; see {self._log(one)}. Starting it again.")
                one.process = None
                lasted = now - one.started
                one.wait = SHORTEST_WAIT if lasted > 30 else min(one.wait * 2, LONGEST_WAIT)
                one.next_start = now + one.wait
                changed = True
            if one.process is None and now >= one.next_start:
                self._start(one, now)
                changed = True
        if changed:
            self._write_state()

    def end_all(self) -> None:
        """Asks every program to end, and ends by force what has not after a while."""
        processes = [one.process for one in reversed(self._running) if one.process is not None]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        (self.settings.run / "programs.json").unlink(missing_ok=True)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()

    def _log(self, one: Running) -> Path:
        return self.settings.logs / f"{one.program.name}.log"

    def _start(self, one: Running, now: float) -> None:
        log = os.open(self._log(one), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            one.process = subprocess.Popen(
                one.program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.settings.data_root,
                env={**base_environment(self.config_file), **one.program.environment},
                preexec_fn=die_with_parent,  # noqa: PLW1509 - the supervisor has one thread
            )
        except OSError as error:
            self.report(f"{one.program.name} cannot be started: {error}")
            one.wait = min(one.wait * 2, LONGEST_WAIT)
            one.next_start = now + one.wait
            return
        finally:
            os.close(log)
        one.started, one.starts = now, one.starts + 1

    def _write_state(self) -> None:
        state = {
            one.program.name: {"pid": one.process.pid if one.process else None, "starts": one.starts}
            for one in self._running
        }
        write_private(self.settings.run / "programs.json", json.dumps({"supervisor": os.getpid(), "programs": state}))


def check_may_start(settings: Settings) -> None:
    """Raises Refused when the public port is taken, by an enclave that runs already for one."""
    if not is_free(settings.web.port, settings.web.bind):
        raise Refused(
            f"Port {settings.web.port} of {settings.web.bind} is taken. Is the enclave running already? Stop it, or set"
            " web.port to another in enclave.toml."
        )


def missing(settings: Settings) -> list[str]:
    """The programs that do not answer yet; empty when the enclave is up."""
    try:
        ports = load_ports(settings)
    except Refused:
        return ["everything"]
    found = []
    public = f"{settings.web.scheme}://127.0.0.1:{settings.web.port}"
    probes = {"proxy and hub": "/hub/health", "portal": "/services/portal/"}
    with httpx.Client(timeout=5, verify=False, headers={"Host": settings.web.host}) as client:  # noqa: S501 - our own port
        for name, path in probes.items():
            if not _answers(client, public + path):
                found.append(name)
        if settings.login.embedded and not _answers(
            client, f"{public}/.well-known/openid-configuration", f"login.{settings.web.host}:{settings.web.port}"
        ):
            found.append("provider")
    try:
        GatewayControl(settings.run / "gateway.sock").sessions()
    except Exception as error:
        found.append(f"gateway ({error})")
    if not (settings.run / "programs.json").exists() or ports is None:
        found.append("supervisor")
    return found


def _answers(client: httpx.Client, address: str, host: str | None = None) -> bool:
    try:
        answer = client.get(address, headers={"Host": host} if host else {})
    except httpx.HTTPError:
        return False
    return answer.status_code < 500 and answer.status_code != 404


def wait_until_up(settings: Settings, seconds: float = 120, alive: Callable[[], bool] = lambda: True) -> None:
    """Waits until every program answers; raises Refused naming those that do not, at once when `alive()` says no."""
    deadline = time.monotonic() + seconds
    while left := missing(settings):
        if not alive():
            raise Refused(f"The supervisor ended while the programs started. The logs are in {settings.logs}.")
        if time.monotonic() > deadline:
            raise Refused(f"Not up after {seconds:.0f} seconds: {', '.join(left)}. The logs are in {settings.logs}.")
        time.sleep(0.2)
