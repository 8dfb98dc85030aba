"""The gateway beside configurable-http-proxy straight to the same Jupyter server, in one run, alternating.

`python benchmarks/gateway.py` (some minutes), `--quick` (about one), `--soak MINUTES` (memory over that time at one
connection a second), `--day` (what a day of normal work sends to the browser). Needs the session image and the proxy.
Two ways go through the same proxy process: browser - proxy - server, and browser - proxy - gateway - server. The third,
the floor, has nothing between: browser - the server's unix socket. All three are asked in turn, and the same process
answers. On TCP the server sends small messages at once (TCP_NODELAY), as it does on its socket: as it comes, it waits
some 40 ms for an acknowledgement, and the way straight to it would only seem slow. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import docker
import httpx
import report
from aiohttp import web

from access_control.errors import AccessError
from access_control.settings import Settings, load_settings
from hub import keys, ports, prepare, tickets
from hub.container import SOCKET_FOLDER, WORKSPACE, Bind, command, create_arguments, host_config
from hub.engine_room import EngineRoom
from hub.gateway import messages
from hub.gateway.control import GatewayControl
from hub.programs import proxy_command
from hub.workspaces import SOCKET_NAME, session_folder, workspace

PERSON = "ana"
SESSIONS = 200
NOTEBOOK_BYTES = 5_000_000
PAGE_SECONDS = 120


@dataclass
class Way:
    """One way to the server: the host that the browser names, its cookie, and the client that connects."""

    name: str
    host: str
    port: int
    client: aiohttp.ClientSession
    cookie: str = ""

    @property
    def headers(self) -> dict[str, str]:
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        return {"Host": f"{self.host}:{self.port}", "Origin": f"http://{self.host}:{self.port}", **cookie}

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Stage:
    """The running programs."""

    settings: Settings
    used: ports.Ports
    gateway_pid: int
    socket: Path
    container: str
    session: str
    leased: list[str]

    @property
    def control(self) -> GatewayControl:
        return GatewayControl(self.settings.run / "gateway.sock")

    def enter(self, session: str, client: aiohttp.ClientSession) -> Way:
        """Goes into a session as the portal sends a browser there."""
        way = Way("gateway", self.settings.web.session_host(session), self.settings.web.port, client)
        ticket = tickets.issue(tickets.read_key(self.settings.keys / "ticket.key"), session, PERSON)
        answer = httpx.get(f"{way.base}/enter?ticket={ticket}", headers=way.headers, timeout=30)
        way.cookie = answer.headers["set-cookie"].partition(";")[0]
        return way

    def register(self, session: str, project: str, tier: int = 0) -> None:
        """Tells the gateway of a session on the same socket."""
        self.leased.append(session)
        uid = self.settings.session.uid
        self.control.register(session, person=PERSON, project=project, tier=tier, socket=self.socket, uid=uid)

    def rss_mib(self) -> float:
        """Memory of the gateway's process and of those beside it that it has started."""
        beside = Path(f"/proc/{self.gateway_pid}/task/{self.gateway_pid}/children").read_text().split()
        return sum(_resident_mib(pid) for pid in (str(self.gateway_pid), *beside))


def _resident_mib(pid: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the gateway is gone")


def wait_for(ready: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ready():
                return
        except Exception:
            time.sleep(0.2)  # not up yet
        time.sleep(0.05)
    raise RuntimeError("it did not come up")


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Proxy, gateway and one real session container, with budgets that nothing here reaches."""
    big = 10**13
    tiers = "\n".join(
        f"[tiers.{n}]\nbytes_per_minute = {big}\nburst_bytes = {big}\nbytes_per_day = {big}" for n in range(5)
    )
    config = prepare.write_settings_file(
        folder / "enclave.toml", data_root=folder / "data", port=ports.free_port(), more=tiers + "\n"
    )
    settings = load_settings(config)
    engine, used = prepare.prepare(settings)
    environment = os.environ | {
        "ENCLAVE_CONFIG": str(config),
        "CONFIGPROXY_AUTH_TOKEN": keys.read_secret(settings, "proxy.token"),
    }
    log = (folder / "log").open("wb")
    children = [subprocess.Popen(proxy_command(settings, used), env=environment, stdout=log, stderr=log)]
    room, container, stop = EngineRoom(settings), "", threading.Event()
    leased: list[str] = []
    try:
        children.append(
            subprocess.Popen([sys.executable, "-m", "hub.gateway"], env=environment, stdout=log, stderr=log)
        )
        session = secrets.token_hex(16)
        socket = session_folder(settings, session) / SOCKET_NAME
        binds = [
            Bind(str(workspace(settings, "bench", PERSON)), WORKSPACE, read_only=False),
            Bind(str(socket.parent), SOCKET_FOLDER, read_only=False),
        ]
        direct = ports.free_port()
        container = start_container(settings, session, binds, direct)
        made = Stage(settings, used, children[1].pid, socket, container, session, leased)
        wait_for(lambda: made.control.sessions() is not None)
        made.register(session, "bench")

        def renew() -> None:
            while not stop.wait(1):
                with suppress(AccessError):  # a machine that is too busy to answer in time
                    made.control.renew(list(leased), 30)

        threading.Thread(target=renew, daemon=True).start()
        probe = f"{used.url('gateway')}/user/{PERSON}/bench/api"
        wait_for(lambda: httpx.get(probe, timeout=5).status_code == 200)
        add_route(made, "direct.enclave.localhost", f"http://127.0.0.1:{direct}")
        yield made
    finally:
        stop.set()
        if container:
            room.remove(container)
        for child in children:
            child.terminate()
            child.wait(30)
        engine.dispose()


# The session's own command, listening on a port besides: the same process answers both ways.
BOTH = """
import socket, sys
import tornado.iostream, tornado.netutil
set_nodelay = tornado.iostream.IOStream.set_nodelay
tornado.iostream.IOStream.set_nodelay = lambda stream, value: set_nodelay(stream, True)
from jupyterlab.labapp import LabApp
server = LabApp.initialize_server(sys.argv[2:])
listening = tornado.netutil.bind_sockets(int(sys.argv[1]), "127.0.0.1")
for one in listening:
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted connections have it from here
server.http_server.add_sockets(listening)
server.start()
"""


def start_container(settings: Settings, session: str, binds: list[Bind], port: int) -> str:
    """A session's container but for its network, which is the host's, so that the proxy can reach it directly."""
    api = docker.APIClient(version="auto", timeout=120)
    arguments = create_arguments(settings, session_id=session, person=PERSON, project="bench", terminals=True)
    arguments["command"] = ["/opt/venv/bin/python", "-c", BOTH, str(port), *command(terminals=True)[1:]]
    del arguments["network_disabled"], arguments["hostname"]
    host = host_config(settings.session, binds) | {"network_mode": "host"}
    arguments["host_config"] = api.create_host_config(**host)
    container = str(api.create_container(**arguments)["Id"])
    api.start(container)
    return container


def add_route(made: Stage, host: str, target: str) -> None:
    token = keys.read_secret(made.settings, "proxy.token")
    url = f"{made.used.url('proxy_api')}/api/routes/{host}"
    httpx.post(url, json={"target": target}, headers={"Authorization": f"token {token}"}).raise_for_status()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def compare(values: dict[str, list[float]]) -> dict[str, float]:
    """Milliseconds of each way, and what the gateway adds to the way straight and to the floor."""
    found = {}
    for name, times in values.items():
        found[f"{name}_p50_ms"] = round(statistics.median(times) * 1000, 2)
        found[f"{name}_p99_ms"] = round(percentile(times, 0.99) * 1000, 2)
    for peer in ("direct", "floor"):
        for share in ("p50", "p99"):
            added = found[f"gateway_{share}_ms"] - found[f"{peer}_{share}_ms"]
            found[f"over_{peer}_{share}_ms"] = round(added, 2)
    return found


async def alternate(ways: list[Way], rounds: int, once: Callable[[Way], Awaitable[None]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {way.name: [] for way in ways}
    for n in range(rounds + 5):
        turn = n % len(ways)  # each is first, second and last as often as the others
        for way in (*ways[turn:], *ways[:turn]):
            begin = time.perf_counter()
            await once(way)
            if n >= 5:
                found[way.name].append(time.perf_counter() - begin)
    return found


async def measure_requests(ways: list[Way], rounds: int) -> dict[str, float]:
    async def once(way: Way) -> None:
        async with way.client.get(f"{way.base}/api/contents?content=1", headers=way.headers) as answer:
            assert answer.status == 200, answer.status
            await answer.read()

    return compare(await alternate(ways, rounds, once))


def request(kind: str, content: Any) -> bytes:
    header = {
        "msg_id": secrets.token_hex(8),
        "msg_type": kind,
        "session": "s",
        "username": "",
        "version": "5.3",
        "date": "",
    }
    return messages.join((b"shell", *(json.dumps(part).encode() for part in (header, {}, {}, content))))


async def new_kernel(way: Way) -> str:
    async with way.client.post(f"{way.base}/api/kernels", json={"name": "python3"}, headers=way.headers) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["id"])


async def connect(way: Way, kernel: str) -> aiohttp.ClientWebSocketResponse:
    url = f"{way.base}/api/kernels/{kernel}/channels?session_id={secrets.token_hex(8)}"
    return await way.client.ws_connect(url, headers=way.headers, protocols=[messages.V1], max_msg_size=0)


async def round_trip(socket: aiohttp.ClientWebSocketResponse, kind: str = "kernel_info", content: Any = None) -> None:
    await socket.send_bytes(request(f"{kind}_request", content or {}))
    while messages.split((await asyncio.wait_for(socket.receive(), 120)).data).kind != f"{kind}_reply":
        pass


async def measure_kernel(ways: list[Way], rounds: int) -> dict[str, float]:
    # A kernel each: what one tells all its listeners would be work of the gateway while the others are measured.
    sockets = {way.name: await connect(way, await new_kernel(ways[-1])) for way in ways}

    async def once(way: Way) -> None:
        await round_trip(sockets[way.name])

    found = compare(await alternate(ways, rounds, once))
    for socket in sockets.values():
        await socket.close()
    return found


def write_notebook(made: Stage, name: str, size: int) -> None:
    line = "x" * 98 + "\n"
    outputs = [{"output_type": "stream", "name": "stdout", "text": [line] * 1000} for _ in range(size // 100_000)]
    common = {"cell_type": "code", "metadata": {}, "source": "run()"}
    cells = [common | {"id": f"c{n}", "execution_count": n, "outputs": [output]}
             for n, output in enumerate(outputs)]  # fmt: skip
    path = workspace(made.settings, "bench", PERSON) / name
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    os.chown(path, made.settings.session.uid, made.settings.session.uid)


async def measure_notebook(ways: list[Way], rounds: int) -> dict[str, float]:
    async def once(way: Way) -> None:
        url = f"{way.base}/api/contents/big.ipynb?type=notebook&content=1"
        async with way.client.get(url, headers=way.headers) as answer:
            assert len(await answer.read()) > NOTEBOOK_BYTES, answer.status

    found = await alternate(ways, rounds, once)
    direct, ours = (statistics.median(found[name]) for name in ("direct", "gateway"))
    return {"direct_s": round(direct, 3), "gateway_s": round(ours, 3), "throughput_of_direct": round(direct / ours, 2)}


async def measure_first_load(made: Stage, ways: list[Way], rounds: int) -> dict[str, float]:
    """Seconds in a fresh Chromium from the address to JupyterLab's launcher; the gateway's inside a portal's frame."""
    from playwright.async_api import async_playwright

    key = tickets.read_key(made.settings.keys / "ticket.key")
    origin = made.settings.web.session_origin(made.session)

    async def page(_request: web.BaseRequest) -> web.Response:
        frame = f"{origin}/enter?ticket={tickets.issue(key, made.session, PERSON)}"
        body = f'<!doctype html><iframe src="{frame}" style="position:fixed;inset:0;width:100%;height:100%"></iframe>'
        return web.Response(text=body, content_type="text/html")

    runner = web.ServerRunner(web.Server(page))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    add_route(made, made.settings.web.host, f"http://127.0.0.1:{runner.addresses[0][1]}")
    found: dict[str, list[float]] = {way.name: [] for way in ways}
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    async with async_playwright() as driver:
        for n in range(rounds + 1):
            for way in ways if n % 2 else list(reversed(ways)):
                browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                tab = await browser.new_page(viewport={"width": 1400, "height": 900})
                begin = time.perf_counter()
                if way.name == "gateway":
                    await tab.goto(made.settings.web.origin, wait_until="commit")
                    shown = tab.frame_locator("iframe").locator(".jp-LauncherCard").first
                else:
                    await tab.goto(f"http://{way.host}:{way.port}/lab", wait_until="commit")
                    shown = tab.locator(".jp-LauncherCard").first
                await shown.wait_for(timeout=PAGE_SECONDS * 1000)
                if n:
                    found[way.name].append(time.perf_counter() - begin)
                await browser.close()
    await runner.cleanup()
    return {f"{name}_s": round(statistics.median(values), 2) for name, values in found.items()}


async def drain(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Reads on, as a browser does: the gateway's pings want an answer."""
    async for _ in socket:
        pass


async def measure_sessions(client: aiohttp.ClientSession, made: Stage, kernel: str) -> dict[str, float]:
    before = made.rss_mib()
    sockets: list[aiohttp.ClientWebSocketResponse] = []
    reading: list[asyncio.Task[None]] = []
    for n in range(SESSIONS):
        session = secrets.token_hex(16)
        await asyncio.to_thread(made.register, session, f"open-{n}")
        await asyncio.to_thread(made.control.renew, [session], 30)
        await asyncio.sleep(0.02)
        for _ in range(100):
            try:
                way = await asyncio.to_thread(made.enter, session, client)
                break
            except (KeyError, httpx.HTTPError):
                await asyncio.sleep(0.1)  # its route is on its way to the proxy
        socket = await connect(way, kernel)
        if n % 10 == 0:
            await round_trip(socket)
        sockets.append(socket)
        for target in ("/api/events/subscribe", "/enclave/news"):
            sockets.append(await client.ws_connect(way.base + target, headers=way.headers))
        reading += [asyncio.create_task(drain(socket)) for socket in sockets[len(reading) :]]
    await asyncio.sleep(2)
    assert not any(one.done() for one in reading), "a websocket was closed"
    result = {"sessions": SESSIONS, "gateway_mib": round(made.rss_mib(), 1), "before_mib": round(before, 1)}
    for socket in sockets:
        await socket.close()
    for session in made.leased[1:]:
        await asyncio.to_thread(made.control.cut, session, "measured")
    del made.leased[1:]
    return result


async def soak(made: Stage, way: Way, minutes: float) -> dict[str, Any]:
    """One connection a second: a websocket with a message, a listing and a notebook of 5 MB every tenth time."""
    kernel = await new_kernel(way)
    end, n, seen = time.monotonic() + minutes * 60, 0, []
    while time.monotonic() < end:
        begin = time.monotonic()
        socket = await connect(way, kernel)
        await round_trip(socket)
        await socket.close()
        target = "/api/contents/big.ipynb?type=notebook" if n % 10 == 0 else "/api/contents"
        async with (
            aiohttp.ClientSession() as fresh,
            fresh.get(way.base + target, headers=way.headers) as answer,
        ):
            await answer.read()
        if n % 30 == 0:
            seen.append(round(made.rss_mib(), 1))
        n += 1
        await asyncio.sleep(max(0.0, 1 - (time.monotonic() - begin)))
    settled = seen[len(seen) // 5 :] or seen
    half = max(1, len(settled) // 2)
    growth = statistics.mean(settled[half:] or settled) - statistics.mean(settled[:half])
    return {"minutes": minutes, "connections": n, "mib": seen, "growth_mib": round(growth, 1)}


WORK = (
    ("a table", 150, "import pandas as pd, numpy as np; pd.DataFrame(np.random.rand(60, 12))"),
    ("a picture", 100, "import matplotlib.pyplot as plt, numpy as np; plt.scatter(*np.random.rand(2, 3000))"),
    ("a page of text", 150, "for n in range(60): print('epoch', n, 'loss', n / 7, 'accuracy', n / 60)"),
)  # fmt: skip
POLLS = 8 * 3600 // 10  # JupyterLab asks for folder, kernels and sessions every ten seconds


async def day(client: aiohttp.ClientSession, made: Stage, way: Way) -> dict[str, Any]:
    """Eight hours of a busy analyst: 400 cells, 20 notebooks of a megabyte opened, 200 saves, polls all day long."""
    kernel = await new_kernel(way)
    socket = await connect(way, kernel)

    def sent() -> int:
        return int(next(row for row in made.control.sessions() if row["id"] == made.session)["bytes"])

    rows: dict[str, float] = {}
    begin = before = sent()
    for name, times, code in WORK:
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        for _ in range(times):
            await round_trip(socket, "execute", content)
        rows[name], before = sent() - before, sent()
    write_notebook(made, "day.ipynb", 1_000_000)
    for _ in range(20):
        async with client.get(f"{way.base}/api/contents/day.ipynb?type=notebook", headers=way.headers) as answer:
            await answer.read()
    rows["notebooks opened"], before = sent() - before, sent()
    for target in ("/api/contents?content=1", "/api/kernels", "/api/sessions", "/api/terminals"):
        async with client.get(way.base + target, headers=way.headers) as answer:
            await answer.read()
    one_poll = sent() - before
    rows["polls"] = one_poll * POLLS
    for _ in range(10):
        async with client.get(f"{way.base}/lab/api/settings", headers=way.headers) as answer:
            await answer.read()
    total = sum(rows.values()) + (sent() - before - one_poll)
    await socket.close()
    return {"bytes": round(total), "parts": rows, "measured_bytes": sent() - begin}


async def measure(options: argparse.Namespace, made: Stage) -> dict[str, Any]:
    write_notebook(made, "big.ipynb", NOTEBOOK_BYTES)
    common: dict[str, Any] = {"timeout": aiohttp.ClientTimeout(total=300), "max_line_size": 65536}
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(), **common
        ) as client,
        aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(made.socket)), cookie_jar=aiohttp.DummyCookieJar(), **common
        ) as near,
    ):
        port = made.settings.web.port
        ours = await asyncio.to_thread(made.enter, made.session, client)
        direct = Way("direct", "direct.enclave.localhost", port, client)
        ways = [Way("floor", "localhost", port, near), direct, ours]
        if options.soak:
            return {"soak": await soak(made, ours, options.soak)}
        if options.day:
            return {"day": await day(client, made, ours)}
        quick = options.quick
        result: dict[str, Any] = {}

        def told(name: str, measured: dict[str, float]) -> None:
            result[name] = measured | {"load": round(os.getloadavg()[0], 1)}
            print(f"{name}: {json.dumps(result[name])}", flush=True)

        told("request", await measure_requests(ways, 150 if quick else 1000))
        told("kernel", await measure_kernel(ways, 150 if quick else 1000))
        told("notebook", await measure_notebook(ways[1:], 6 if quick else 20))
        if not options.no_browser:
            told("first_load", await measure_first_load(made, ways[1:], 2 if quick else 7))
        told("open", await measure_sessions(client, made, await new_kernel(ours)))
        return result


def figures(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What was measured as figures of the last line; `straight` is the way without the gateway."""
    found: dict[str, dict[str, Any]] = {}
    for name, what in (("request", "request"), ("kernel", "kernel message")):
        for share, wanted in (("p50", 1.0), ("p99", 5.0)):
            if one := result.get(name):
                peers = {"straight": one[f"direct_{share}_ms"], "floor": one[f"floor_{share}_ms"]}
                more = round(one[f"gateway_{share}_ms"] - one[f"direct_{share}_ms"], 2)
                found[f"{what}, {share}"] = report.figure(
                    one[f"gateway_{share}_ms"], peers, "ms", more_than_straight=more, wanted=wanted, held=more <= wanted
                )
    if one := result.get("notebook"):
        found["notebook of 5 MB"] = report.figure(one["gateway_s"], {"straight": one["direct_s"]}, "s")
    if one := result.get("first_load"):
        found["first load"] = report.figure(one["gateway_s"], {"straight": one["direct_s"]}, "s")
    if one := result.get("open"):
        found["memory, 200 sessions"] = report.figure(one["gateway_mib"], {}, "MiB", wanted=300 * 1e6 / 2**20)
    if one := result.get("soak"):
        found["memory, growth"] = report.figure(one["growth_mib"], {}, "MiB")
    if one := result.get("day"):
        found["a day of work"] = report.figure(one["bytes"], {}, "bytes")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--no-browser", action="store_true", help="leave out the first load in Chromium")
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES", help="memory at one connection a second")
    parser.add_argument("--day", action="store_true", help="bytes of a day of normal work")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        with stage(folder) as made:
            result = asyncio.run(measure(options, made))
    except Exception:
        print((folder / "log").read_text()[-3000:], file=sys.stderr)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report.finish("gateway", figures(result), measured=result)


if __name__ == "__main__":
    main()
