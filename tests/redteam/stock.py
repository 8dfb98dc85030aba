"""The control: JupyterHub with stock DockerSpawner and jupyterhub-singleuser, set up as its documentation has it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from hub.programs import find_proxy
from tests.redteam.inside import LABEL, STOCK_IMAGE, Inside

CONFIG = """
import json
world = json.load(open({world!r}))
c = get_config()
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = world["password"]
c.Authenticator.allow_all = True
c.JupyterHub.bind_url = world["url"]
c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.hub_port = world["hub_port"]
c.JupyterHub.hub_connect_ip = world["bridge"]
c.JupyterHub.cleanup_servers = True
c.ConfigurableHTTPProxy.command = [world["proxy"]]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:%d" % world["api_port"]
c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
c.DockerSpawner.image = {image!r}
c.DockerSpawner.pull_policy = "never"
c.DockerSpawner.remove = True
c.DockerSpawner.name_template = world["prefix"] + "-{{username}}"
c.DockerSpawner.notebook_dir = "/workspace"
c.DockerSpawner.environment = {{"HOME": "/workspace"}}
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.extra_create_kwargs = {{"labels": {{{label!r}: "1"}}}}
c.DockerSpawner.volumes = {{world["workspaces"] + "/{{username}}": "/workspace"}}
c.DockerSpawner.read_only_volumes = {{world["data"]: {{"bind": "/data", "mode": "rw"}}}}
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
"""


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bridge_address() -> str:
    """The host's address on Docker's default bridge."""
    told = subprocess.run(["docker", "network", "inspect", "bridge"], capture_output=True, text=True, check=True)
    return str(json.loads(told.stdout)[0]["IPAM"]["Config"][0].get("Gateway", "172.17.0.1"))


class StockHub:
    """A running stock JupyterHub; every user's container has all of `/data`, as a shared folder has it."""

    def __init__(self, folder: Path, uid: int) -> None:
        self.folder, self.uid = folder, uid
        self.password = secrets.token_hex(8)
        self.prefix = f"stock-{secrets.token_hex(4)}"
        self.url = f"http://127.0.0.1:{free_port()}"
        for name in ("data", "workspaces"):
            (folder / name).mkdir(parents=True)
            (folder / name).chmod(0o755)
        dataset = folder / "data" / "hiv"
        dataset.mkdir()
        (dataset / "data.csv").write_text("id,result\n1,positive\n2,negative\n")
        os.chown(dataset, uid, uid)
        os.chown(dataset / "data.csv", uid, uid)

    def start(self) -> None:
        """Starts the hub and waits until it answers; raises TimeoutError with its last words."""
        world = self.folder / "world.json"
        values = {
            "password": self.password, "url": self.url, "hub_port": free_port(), "api_port": free_port(),
            "bridge": bridge_address(), "proxy": find_proxy(), "prefix": self.prefix,
            "workspaces": str(self.folder / "workspaces"), "data": str(self.folder / "data"),
        }  # fmt: skip
        world.write_text(json.dumps(values))
        config = self.folder / "jupyterhub_config.py"
        config.write_text(CONFIG.format(world=str(world), image=STOCK_IMAGE, label=LABEL))
        environment = {**os.environ, "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16)}
        self.log = (self.folder / "hub.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            cwd=self.folder, env=environment, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self._wait(lambda: httpx.get(f"{self.url}/hub/health", timeout=5).status_code == 200, 90, "the stock hub")

    def _wait(self, condition, seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except httpx.HTTPError:
                pass  # not up yet: asked again below, until the time is over
            time.sleep(0.3)
        raise TimeoutError(f"{what} did not come up:\n{(self.folder / 'hub.log').read_text()[-3000:]}")

    def browser(self, user: str) -> httpx.Client:
        """A client that is logged in as `user`."""
        client = httpx.Client(base_url=self.url, follow_redirects=True, timeout=120)
        page = client.get("/hub/login")
        token = client.cookies.get("_xsrf", path="/hub/")
        answer = client.post("/hub/login", data={"username": user, "password": self.password, "_xsrf": token or ""})
        assert answer.status_code == 200, (page.status_code, answer.text[:500])
        return client

    def open_session(self, user: str) -> tuple[httpx.Client, Inside]:
        """Starts the user's server; returns a browser that is in it, and its inside."""
        workspace = self.folder / "workspaces" / user
        if not workspace.exists():
            workspace.mkdir()
            os.chown(workspace, self.uid, self.uid)
        client = self.browser(user)
        client.get(f"/hub/spawn/{user}")
        # The page first: it logs the browser in to the server, which the API alone does not.
        self._wait(lambda: client.get(f"/user/{user}/lab").url.path.endswith("/lab"), 90, f"the server of {user}")
        self._wait(lambda: client.get(f"/user/{user}/api/status").status_code == 200, 30, f"the server of {user}")
        return client, Inside(f"{self.prefix}-{user}")

    def stop(self) -> None:
        """Ends the hub and removes its containers."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()
        told = subprocess.run(
            ["docker", "ps", "-aq", "--filter", f"name={self.prefix}"], capture_output=True, text=True, check=True
        )
        if told.stdout.split():
            subprocess.run(["docker", "rm", "-f", "-v", *told.stdout.split()], capture_output=True, check=False)
