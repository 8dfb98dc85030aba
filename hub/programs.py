"""The programs of a running enclave: how each is started, and how one sees that it is up."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from access_control.errors import Refused
from access_control.settings import Settings
from hub.keys import read_secret
from hub.ports import Ports

ROOT = Path(__file__).resolve().parents[1]
PROXY_PROGRAM = "configurable-http-proxy"
_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "DOCKER_HOST", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "ENCLAVE_COVERAGE")


@dataclass(frozen=True)
class Program:
    """A program that the supervisor keeps running, and what it finds in its environment besides the common part."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def find_proxy() -> str:
    """Where configurable-http-proxy is: in .cache/proxy, else on the PATH; raises Refused when it is nowhere."""
    local = ROOT / ".cache" / "proxy" / "node_modules" / ".bin" / PROXY_PROGRAM
    found = str(local) if local.exists() else shutil.which(PROXY_PROGRAM)
    if found is None:
        raise Refused(f"{PROXY_PROGRAM} is not installed. Run: make setup (or: npm install --global {PROXY_PROGRAM})")
    return found


def base_environment(config_file: Path | None) -> dict[str, str]:
    """What every program gets; not the whole environment of whoever started the supervisor."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    if config_file is not None:
        environment["ENCLAVE_CONFIG"] = str(config_file.resolve())
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def proxy_command(settings: Settings, ports: Ports) -> tuple[str, ...]:
    """The proxy's command line: routing by host, its API on 127.0.0.1 alone, TLS where it is configured."""
    command = [find_proxy(), "--ip", settings.web.bind, "--port", str(settings.web.port)]
    command += ["--api-ip", "127.0.0.1", "--api-port", str(ports.proxy_api), "--host-routing"]
    if settings.web.scheme == "https" and settings.web.certificate and settings.web.key:
        command += ["--ssl-cert", str(settings.web.certificate), "--ssl-key", str(settings.web.key)]
    return tuple(command)


def portal_environment(settings: Settings, ports: Ports) -> dict[str, str]:
    """What JupyterHub would give a service that it starts itself."""
    return {
        "JUPYTERHUB_API_TOKEN": read_secret(settings, "portal.token"),
        "JUPYTERHUB_API_URL": f"{ports.url('hub')}/hub/api",
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_CLIENT_ID": "service-portal",
        "JUPYTERHUB_HOST": settings.web.origin,
        "JUPYTERHUB_SERVICE_NAME": "portal",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/portal/",
        "JUPYTERHUB_SERVICE_URL": ports.url("portal"),
    }


def programs(settings: Settings, ports: Ports) -> list[Program]:
    """Every program in the order of their start; each waits for or tries again what it needs of the others."""
    python = sys.executable
    found = [
        Program(
            "proxy", proxy_command(settings, ports), {"CONFIGPROXY_AUTH_TOKEN": read_secret(settings, "proxy.token")}
        ),
        Program("gateway", (python, "-m", "hub.gateway")),
        Program("hub", (python, "-m", "jupyterhub", "--config", str(ROOT / "hub" / "jupyterhub_config.py"))),
        Program("portal", (python, "-m", "hub.portal"), portal_environment(settings, ports)),
        Program(
            "warden",
            (python, "-m", "hub.warden"),
            {
                "JUPYTERHUB_API_TOKEN": read_secret(settings, "warden.token"),
                "JUPYTERHUB_API_URL": f"{ports.url('hub')}/hub/api",
            },
        ),
    ]
    if settings.login.embedded:
        found.insert(0, Program("provider", (python, "-m", "hub.provider")))
    return found
