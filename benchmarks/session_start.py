"""How long until JupyterLab answers: this enclave's spawner beside stock DockerSpawner, on the same machine in one run.

Both start through a real JupyterHub and the same Docker Engine, alternating. The stock hub runs DockerSpawner as it
comes, with `jupyterhub-singleuser` in the same image (all packages, all of the image's cures for a slow start). Time
counts from the request to the hub's API until the server's own `/api` answers. Usage: session_start.py [--quick]; the
last line is JSON.
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import report

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hub.ports import free_port, load_ports
from hub.programs import find_proxy
from tests.running import Enclave

STOCK_CONFIG = """
import os
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_bind_url = "http://0.0.0.0:{hub}"
c.JupyterHub.hub_connect_ip = "{gateway}"
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.JupyterHub.db_url = "sqlite:///{folder}/stock.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie"
c.JupyterHub.authenticator_class = "jupyterhub.auth.DummyAuthenticator"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
c.DockerSpawner.image = "enclave/notebook-stock:latest"
c.DockerSpawner.pull_policy = "never"
c.DockerSpawner.remove = True
c.DockerSpawner.use_internal_ip = True
# The image's own folders belong to root: the stock server gets a place to write to.
c.DockerSpawner.notebook_dir = "/tmp"
c.DockerSpawner.environment = {{"HOME": "/tmp"}}
c.DockerSpawner.extra_create_kwargs = {{"labels": {{"enclave.test": "benchmark"}}}}
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
scopes = ["admin:users", "admin:servers", "access:servers"]
c.JupyterHub.load_roles = [{{"name": "bench", "services": ["bench"], "scopes": scopes}}]
"""


def bridge_gateway() -> str:
    """The host's address on Docker's default bridge, where a stock container finds its hub."""
    shown = subprocess.run(
        ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return shown.stdout.strip() or "172.17.0.1"


def wait(what: str, condition: Callable[[], bool], seconds: float = 120) -> None:
    """Polls 50 times a second; raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


class Stock:
    """A stock JupyterHub with DockerSpawner."""

    def __init__(self, folder: Path) -> None:
        self.token = secrets.token_hex(16)
        self.public = free_port()
        config = folder / "stock.py"
        config.write_text(
            STOCK_CONFIG.format(
                public=self.public, hub=free_port(), api=free_port(), proxy=find_proxy(), folder=folder,
                token=self.token, gateway=bridge_gateway(),
            )
        )  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "--config", str(config)],
            cwd=folder, stdout=(folder / "stock.log").open("wb"), stderr=subprocess.STDOUT, env=dict(os.environ),
        )  # fmt: skip
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.public}", headers={"Authorization": f"token {self.token}"}, timeout=120
        )
        wait("the stock hub", self._up)
        self.http.post("/hub/api/users/bench")

    def _up(self) -> bool:
        try:
            return self.http.get("/hub/api/").status_code == 200
        except httpx.HTTPError:
            return False

    def once(self) -> float:
        """Seconds of one start."""
        began = time.perf_counter()
        self.http.post("/hub/api/users/bench/server", json={})
        wait("the stock server", lambda: self.http.get("/user/bench/api/status").status_code == 200)
        took = time.perf_counter() - began
        self.http.delete("/hub/api/users/bench/server")
        wait("its end", lambda: not self.http.get("/hub/api/users/bench").json().get("servers"))
        return took

    def close(self) -> None:
        """Ends the hub and its proxy."""
        self.process.terminate()
        self.process.wait(30)


class Ours:
    """This enclave, with the demo's data: the start includes the decision, the hashes and the audit entry."""

    def __init__(self, folder: Path) -> None:
        self.enclave = Enclave.start(folder)
        self.enclave.known("ana")
        self.http = self.enclave.hub
        self.probe = f"{load_ports(self.enclave.settings).url('gateway')}/user/ana/smoking/api"

    def once(self) -> float:
        """Seconds of one start."""
        began = time.perf_counter()
        self.http.post("/users/ana/servers/smoking", json={})
        wait("the session", lambda: httpx.get(self.probe).status_code == 200)
        took = time.perf_counter() - began
        self.enclave.stop_session("ana", "smoking")
        return took

    def close(self) -> None:
        """Ends everything."""
        self.enclave.close()


def main() -> None:
    """Alternates, so that whatever else the machine does falls on both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds in place of 10")
    rounds = 3 if parser.parse_args().quick else 10
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        for name in ("ours", "stock"):
            (Path(scratch) / name).mkdir()
        ours = Ours(Path(scratch) / "ours")
        try:
            stock = Stock(Path(scratch) / "stock")
            try:
                seconds: dict[str, list[float]] = {"ours": [], "stock": []}
                for side in (ours, stock):
                    side.once()  # the first start of each warms the disk's cache and is not counted
                for number in range(rounds):
                    seconds["ours"].append(ours.once())
                    seconds["stock"].append(stock.once())
                    print(f"round {number + 1}: ours {seconds['ours'][-1]:.2f} s, stock {seconds['stock'][-1]:.2f} s")
            finally:
                stock.close()
        finally:
            ours.close()
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    report.finish(
        "session_start",
        {"start to first answer": report.figure(medians["ours"], {"stock": medians["stock"]}, "s")},
        rounds=rounds,
        all_seconds={name: [round(value, 3) for value in values] for name, values in seconds.items()},
    )


if __name__ == "__main__":
    main()
