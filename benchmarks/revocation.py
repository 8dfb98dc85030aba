"""From the commit that suspends a person to the last of 20 real containers gone, with the real gateway and warden.

`python benchmarks/revocation.py` (`--quick`: 5 sessions). Each session has a websocket open through the gateway;
measured are the time until the last websocket is closed and until Docker no longer has any of the containers. Beside it
stands what Docker Engine alone takes when it is told to remove as many containers at once. The last line is JSON."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import docker
import httpx
import report
from sqlalchemy import Engine, update

from access_control import clock, models
from access_control.database import writing
from access_control.errors import Refused
from access_control.settings import Settings, load_settings
from hub import ports, prepare, tickets
from hub.container import SOCKET_FOLDER, WORKSPACE, Bind
from hub.engine_room import EngineRoom
from hub.gateway.control import GatewayControl
from hub.workspaces import SOCKET_NAME, session_folder, workspace

PERSON = "ana"
START, UNTIL = date(2020, 1, 1), date(2090, 1, 1)
CUT_MS, GONE_S = 100, 1.0


def write_world(engine: Engine, projects: list[str]) -> None:
    with writing(engine) as db:
        db.add(models.Organisation(id="acme", title="Acme", region="EU"))
        db.add(models.Person(id=PERSON, name="Ana", email="ana@acme.example", affiliation="acme", region="EU"))
        db.flush()
        facts = {"person_id": PERSON, "start": START, "until": UNTIL, "source": "benchmark"}
        db.add(models.Clearance(level=3, accredited_by="stella", **facts))
        for project in projects:
            db.add(models.Project(id=project, title=project, tier=1, region="EU", purposes=["quality"], state="active",
                                  start=START, until=UNTIL))  # fmt: skip
            db.add(models.Role(role="researcher", domain=f"project:{project}", **facts))
        models.touch(db)


def session_binds(settings: Settings, project: str, folder: Path) -> list[Bind]:
    return [
        Bind(str(workspace(settings, project, PERSON)), WORKSPACE, read_only=False),
        Bind(str(folder), SOCKET_FOLDER, read_only=False),
    ]


def start_sessions(settings: Settings, engine: Engine, projects: list[str]) -> dict[str, str]:
    """Starts a container a project, with its record; returns session -> container."""
    room, found = EngineRoom(settings), {}
    for project in projects:
        session = secrets.token_hex(16)
        folder = session_folder(settings, session)
        container = room.create(
            session_id=session, person=PERSON, project=project, terminals=False,
            binds=session_binds(settings, project, folder),
        )  # fmt: skip
        room.start(container)
        found[session] = container
        with writing(engine) as db:
            db.add(models.SessionRecord(id=session, person_id=PERSON, project_id=project, tier=1, state="running",
                                        container=container, socket=str(folder / SOCKET_NAME), mounts=[],
                                        started_at=clock.now()))  # fmt: skip
        GatewayControl(settings.run / "gateway.sock").register(
            session, person=PERSON, project=project, tier=1, socket=folder / SOCKET_NAME, uid=settings.session.uid
        )
        print(f"started {len(found)} of {len(projects)}", flush=True)
    return found


def wait_for_socket(socket: Path, container: str) -> None:
    for _ in range(1200):
        if socket.exists():
            return
        time.sleep(0.1)
    raise RuntimeError(f"{container} never opened its socket")


async def open_websocket(client: aiohttp.ClientSession, settings: Settings, base: str, session: str) -> Any:
    host = settings.web.session_origin(session).removeprefix("http://")
    headers = {"Host": host, "Origin": f"http://{host}"}
    for _ in range(200):
        ticket = tickets.issue(tickets.read_key(settings.keys / "ticket.key"), session, PERSON)
        async with client.get(f"{base}/enter?ticket={ticket}", headers=headers, allow_redirects=False) as answer:
            cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
        try:
            return await client.ws_connect(f"{base}/api/events/subscribe", headers=headers | {"Cookie": cookie})
        except aiohttp.WSServerHandshakeError:
            await asyncio.sleep(0.2)  # the warden's first lease
    raise RuntimeError("the session was never served")


class Destroyed(threading.Thread):
    """Hears from Docker Engine when each container is gone; asking for a list over and over would slow it down."""

    def __init__(self, containers: set[str]) -> None:
        super().__init__(daemon=True)
        self._left = containers
        self._events = docker.from_env(timeout=300).api.events(filters={"event": "destroy"}, decode=True)
        self.over: float = 0.0  # when the last was gone

    def run(self) -> None:
        for event in self._events:
            self._left.discard(event["id"])
            if not self._left:
                self.over = time.perf_counter()
                return


async def measure(settings: Settings, engine: Engine, containers: dict[str, str]) -> dict[str, float]:
    base = ports.load_ports(settings).url("gateway")
    destroyed = Destroyed(set(containers.values()))
    destroyed.start()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        sockets = [await open_websocket(client, settings, base, session) for session in containers]
        await asyncio.sleep(1)

        async def closed(socket: Any) -> float:
            while not (await socket.receive()).type.name.startswith("CLOS"):
                pass
            return time.perf_counter()

        waiting = [asyncio.create_task(closed(socket)) for socket in sockets]
        with writing(engine) as db:
            db.execute(update(models.Person).values(suspended=True))
            models.touch(db)
        begin = time.perf_counter()

        cuts = [one - begin for one in await asyncio.wait_for(asyncio.gather(*waiting), 60)]
        return {
            "first_cut_ms": round(min(cuts) * 1000, 1),
            "last_cut_ms": round(max(cuts) * 1000, 1),
            "last_container_gone_s": round(await asyncio.to_thread(until_gone, destroyed) - begin, 3),
            "load": round(os.getloadavg()[0], 1),
        }


def until_gone(destroyed: Destroyed) -> float:
    destroyed.join(120)
    if not destroyed.over:
        raise RuntimeError("a container was not removed within two minutes")
    return destroyed.over


def engine_alone(settings: Settings, projects: list[str]) -> float:
    """Seconds until as many sessions' containers are gone when Docker Engine is simply told to remove them all."""
    room = EngineRoom(settings)
    containers: list[str] = []
    try:
        for project in projects:
            session = secrets.token_hex(16)
            folder = session_folder(settings, session)
            container = room.create(
                session_id=session, person=PERSON, project=project, terminals=False,
                binds=session_binds(settings, project, folder),
            )  # fmt: skip
            containers.append(container)
            room.start(container)
            wait_for_socket(folder / SOCKET_NAME, container)
        destroyed = Destroyed(set(containers))
        destroyed.start()
        begin = time.perf_counter()
        with ThreadPoolExecutor(len(containers)) as pool:
            list(pool.map(room.remove, containers))
        return until_gone(destroyed) - begin
    finally:
        for container in containers:
            room.remove(container)


def ours(settings: Settings, engine: Engine, projects: list[str], log: Path) -> dict[str, float]:
    """What the gateway and the warden take, with a session a project."""
    environment = os.environ | {"ENCLAVE_CONFIG": str(log.parent / "enclave.toml")}
    children, containers = [], {}
    try:
        with log.open("wb") as out:
            for name in ("hub.gateway", "hub.warden"):
                children.append(subprocess.Popen([sys.executable, "-m", name], env=environment, stdout=out, stderr=out))
        wait_for_gateway(GatewayControl(settings.run / "gateway.sock"))
        containers = start_sessions(settings, engine, projects)
        for session, container in containers.items():
            wait_for_socket(settings.run / "sessions" / session / SOCKET_NAME, container)
        return asyncio.run(measure(settings, engine, containers))
    except (httpx.HTTPError, RuntimeError, TimeoutError):
        print(log.read_text()[-3000:], file=sys.stderr)
        raise
    finally:
        for child in children:
            child.terminate()
            child.wait(30)
        for container in containers.values():
            EngineRoom(settings).remove(container)


def wait_for_gateway(control: GatewayControl) -> None:
    for _ in range(600):
        with suppress(Refused):
            control.sessions()
            return
        time.sleep(0.1)
    raise RuntimeError("the gateway did not answer within a minute")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 sessions")
    options = parser.parse_args()
    projects = [f"p{n}" for n in range(5 if options.quick else 20)]
    folder = Path(tempfile.mkdtemp(prefix="revocation-"))
    config = prepare.write_settings_file(
        folder / "enclave.toml", data_root=folder / "data", port=ports.free_port(), more="[session]\nmemory_mib = 512\n"
    )
    settings = load_settings(config)
    engine, _ = prepare.prepare(settings)
    try:
        write_world(engine, projects)
        found = ours(settings, engine, projects, folder / "log")
        alone = engine_alone(settings, projects)
    finally:
        engine.dispose()
        shutil.rmtree(folder, ignore_errors=True)
    gone, cut = found["last_container_gone_s"], found["last_cut_ms"]
    print(f"cut after {cut} ms, gone after {gone} s; Docker Engine alone, told to remove as many, {alone:.3f} s")
    report.finish(
        "revocation",
        {
            "last container gone": report.figure(
                gone, {"docker_engine_alone": alone}, "s", wanted=GONE_S, held=gone <= GONE_S
            ),
            "last websocket cut": report.figure(cut, {}, "ms", wanted=CUT_MS, held=cut <= CUT_MS),
        },
        sessions=len(projects),
        load=found["load"],
    )


if __name__ == "__main__":
    main()
