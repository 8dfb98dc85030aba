"""The gateway as a program, the real proxy before it, and real session containers behind it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from access_control.settings import Settings, load_settings
from hub import keys, ports, tickets
from hub.container import SOCKET_FOLDER, WORKSPACE, Bind
from hub.engine_room import EngineRoom
from hub.gateway.control import GatewayControl
from hub.programs import proxy_command
from hub.workspaces import SOCKET_NAME, session_folder, workspace

WAIT_SECONDS = 120


@dataclass
class Browser:
    """A person's browser at one session: Host, Origin and cookie as a real one sends them."""

    world: World
    session: str
    project: str
    container: str
    cookie: str = ""

    @property
    def host(self) -> str:
        return self.world.settings.web.session_origin(self.session).removeprefix("http://")

    @property
    def headers(self) -> dict[str, str]:
        return {"Host": self.host, "Origin": f"http://{self.host}", "Cookie": self.cookie}

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.world.settings.web.port}"

    def ask(self, method: str, target: str, **more: Any) -> httpx.Response:
        with httpx.Client(timeout=60) as client:
            return client.request(method, self.base + target, headers=self.headers | more.pop("headers", {}), **more)

    def get(self, target: str, **more: Any) -> httpx.Response:
        return self.ask("GET", target, **more)

    def enter(self, person: str = "ana") -> httpx.Response:
        key = tickets.read_key(self.world.settings.keys / "ticket.key")
        answer = self.get(f"/enter?ticket={tickets.issue(key, self.session, person)}")
        self.cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        return answer


@dataclass
class World:
    """Settings, programs and sessions of one test module."""

    settings: Settings
    config: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    leased: list[str] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def control(self) -> GatewayControl:
        return GatewayControl(self.settings.run / "gateway.sock")

    def start_gateway(self) -> None:
        environment = os.environ | {"ENCLAVE_CONFIG": str(self.config), "PYTHONUNBUFFERED": "1"}
        log = (self.settings.data_root / "gateway.log").open("ab")
        self.processes["gateway"] = subprocess.Popen(
            [sys.executable, "-m", "hub.gateway"], env=environment, stdout=log, stderr=log
        )
        wait_for(self._answers, "the gateway")

    def start_proxy(self) -> None:
        command = proxy_command(self.settings, ports.load_ports(self.settings))
        environment = os.environ | {"CONFIGPROXY_AUTH_TOKEN": keys.read_secret(self.settings, "proxy.token")}
        log = (self.settings.data_root / "proxy.log").open("ab")
        self.processes["proxy"] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        process.terminate()
        process.wait(60)

    def _answers(self) -> bool:
        try:
            self.control.sessions()
        except Exception:
            return False
        return True

    def lease(self) -> None:
        """Renews leases as the warden does."""
        while not self._stop.wait(0.5):
            try:
                self.control.renew(self.leased, 5)
            except Exception:
                continue  # the gateway is being restarted by a test

    def open_session(self, project: str, *, tier: int = 0, person: str = "ana") -> Browser:
        session_id = secrets.token_hex(16)
        room = EngineRoom(self.settings)
        binds = [
            Bind(str(workspace(self.settings, project, person)), WORKSPACE, read_only=False),
            Bind(str(session_folder(self.settings, session_id)), SOCKET_FOLDER, read_only=False),
        ]
        terminals = self.settings.tiers[tier].terminals
        container = room.create(session_id=session_id, person=person, project=project, terminals=terminals, binds=binds)
        self.containers.append(container)
        room.start(container)
        self.leased.append(session_id)
        socket = self.settings.run / "sessions" / session_id / SOCKET_NAME
        self.control.register(
            session_id, person=person, project=project, tier=tier, socket=socket, uid=self.settings.session.uid
        )
        probe = f"{ports.load_ports(self.settings).url('gateway')}/user/{person}/{project}/api"
        wait_for(lambda: httpx.get(probe, timeout=10).status_code == 200, "the session's server")
        browser = Browser(self, session_id, project, container)
        wait_for(lambda: browser.enter(person).status_code == 303, "the entrance")
        return browser

    def close(self) -> None:
        self._stop.set()
        for name in list(self.processes):
            self.stop(name)
        room = EngineRoom(self.settings)
        for container in self.containers:
            room.remove(container)


def wait_for(ready: Any, what: str) -> None:
    """Polls until `ready()`; fails the test in words when it takes longer than any slow machine needs."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            if ready():
                return
        except (httpx.HTTPError, OSError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come up within {WAIT_SECONDS} seconds")


@contextmanager
def running_world(folder: Path, **settings: Any) -> Iterator[World]:
    config = folder / "enclave.toml"
    lines = [f'data_root = "{folder / "data"}"', "[web]", f"port = {ports.free_port()}"]
    config.write_text(
        "\n".join([*lines, *(f"{name} = {json.dumps(value)}" for name, value in settings.items())]) + "\n"
    )
    made = load_settings(config)
    made.data_root.mkdir(mode=0o755)
    keys.ensure_all(made)
    ports.choose_ports(made)
    world = World(made, config)
    try:
        world.start_proxy()
        world.start_gateway()
        threading.Thread(target=world.lease, daemon=True).start()
        yield world
    finally:
        world.close()
