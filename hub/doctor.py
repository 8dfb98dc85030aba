"""`enclave doctor`: what is missing or unsafe on this machine, and what to do. Every check has a line in the docs."""

from __future__ import annotations

import importlib.metadata
import ipaddress
import json
import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import docker
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from access_control.database import open_database, reading
from access_control.errors import AccessError
from access_control.settings import Settings
from hub.engine_room import EngineRoom
from hub.keys import SECRETS
from hub.notices.delivery import troubles
from hub.notices.models import Notice, Stage
from hub.ports import is_free
from hub.programs import find_proxy
from hub.session_start import live_sessions

OLDEST_ENGINE = (20, 10)
LEAST_FREE_BYTES = 5 * 1024**3


class Level(Enum):
    """Good, worth a look, or bad: with something bad the enclave does not work or is not safe."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One check's answer: what was looked at, how it is, and what to do (empty when it is good)."""

    what: str
    level: Level
    how: str
    remedy: str = ""


def _good(what: str, how: str) -> Finding:
    return Finding(what, Level.GOOD, how)


def _bad(what: str, how: str, remedy: str) -> Finding:
    return Finding(what, Level.BAD, how, remedy)


def _warning(what: str, how: str, remedy: str) -> Finding:
    return Finding(what, Level.WARNING, how, remedy)


def check_docker(settings: Settings, info: dict[str, Any] | None) -> list[Finding]:
    """Docker Engine answers, is recent enough, and can limit memory, processor and processes."""
    what = "docker"
    if info is None:
        return [_bad(what, "Docker Engine does not answer", "start it: systemctl start docker; or: make setup")]
    version = str(info.get("ServerVersion", "0"))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    found = []
    if numbers < OLDEST_ENGINE:
        found.append(_bad(what, f"version {version}", "install Docker Engine 20.10 or later"))
    else:
        found.append(_good(what, f"version {version}, control groups version {info.get('CgroupVersion', '?')}"))
    limits = {"MemoryLimit": "memory", "SwapLimit": "swap", "PidsLimit": "processes", "CpuCfsQuota": "processor time"}
    lacking = [name for key, name in limits.items() if not info.get(key)]
    if lacking:
        remedy = "boot the kernel with cgroup_enable=memory swapaccount=1, and mount the control groups"
        found.append(_bad("cgroups", f"no limit on {', '.join(lacking)}", remedy))
    else:
        found.append(_good("cgroups", "memory, swap, processes and processor time can be limited"))
    if not any("seccomp" in option for option in info.get("SecurityOptions", [])):
        found.append(_bad("seccomp", "this Engine has no seccomp", "use an Engine and a kernel with seccomp"))
    memory = int(info.get("MemTotal", 0)) // 1024**2
    if memory and memory < settings.session.memory_mib * 2:
        remedy = "lower session.memory_mib, or add memory"
        found.append(_warning("memory", f"{memory} MiB for sessions of {settings.session.memory_mib} MiB each", remedy))
    return found


def check_image(settings: Settings, images: dict[str, str] | None) -> list[Finding]:
    """The session image is there, and the one for tiers that show pictures only; `images` is tag -> id."""
    if images is None:
        return []
    wanted = {settings.session.image: "make images"}
    if any(tier.pixels_only for tier in settings.tiers.values()):
        wanted[settings.session.pixels_image] = "make pixels"
    return [
        _good("image", f"{image}, {images[image][:19]}")
        if image in images
        else _bad("image", f"{image} is missing", f"build it: {remedy}")
        for image, remedy in wanted.items()
    ]


def check_leftovers(known: set[str], containers: dict[str, str]) -> list[Finding]:
    """No container of this enclave runs without a session; `containers` is container -> session."""
    left = [container[:12] for container, session in containers.items() if session not in known]
    if left:
        return [
            _warning(
                "containers",
                f"{len(left)} left over: {', '.join(left)}",
                f"start the enclave, which removes them, or: docker rm --force {' '.join(left)}",
            )
        ]
    return [_good("containers", "none is left over")]


def check_ports(settings: Settings, running: bool) -> list[Finding]:
    """The public port is free, or held by this enclave."""
    port = settings.web.port
    if running or is_free(port, settings.web.bind):
        return [_good("port", f"{settings.web.bind}:{port}" + (" is this enclave's" if running else " is free"))]
    return [_bad("port", f"{port} is taken by another program", "stop that program, or set web.port to another")]


def check_disk(free_bytes: int) -> list[Finding]:
    """There is room for snapshots, workspaces and logs."""
    how = f"{free_bytes // 1024**3} GiB free"
    if free_bytes < LEAST_FREE_BYTES:
        return [_bad("disk", how, f"free some; below {LEAST_FREE_BYTES // 1024**3} GiB submissions may fail")]
    return [_good("disk", how)]


def check_data_root(path: Path) -> list[Finding]:
    """The data root belongs to the enclave's user alone."""
    try:
        found = path.stat()
    except OSError as error:
        return [_bad("data root", f"{path}: {error.strerror}", "make it: enclave init")]
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != os.geteuid():
        return [_bad("data root", f"{path} belongs to user {found.st_uid}", "run as its owner, or chown it")]
    if mode & 0o077:
        return [_bad("data root", f"{path} has mode {mode:04o}; others can look in", f"chmod 700 {path}")]
    return [_good("data root", f"{path}, mode {mode:04o}")]


def check_secrets(folder: Path) -> list[Finding]:
    """Every secret is there and readable by its owner only."""
    missing = [name for name in SECRETS if not (folder / name).exists()]
    if missing:
        return [_warning("secrets", f"not made yet: {', '.join(missing)}", "enclave init, or the first enclave run")]
    loose = [path.name for path in folder.iterdir() if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    if loose:
        return [_bad("secrets", f"readable by others: {', '.join(loose)}", f"chmod 600 {folder}/* and make them new")]
    return [_good("secrets", f"{len(SECRETS)}, mode 0600")]


def check_encryption(path: Path, device_types: Callable[[Path], set[str] | None]) -> list[Finding]:
    """The data root is on an encrypted device; `device_types` gives the types of the devices below it, or None."""
    types = device_types(path)
    if types is None:
        return [_warning("encryption", "cannot be seen from here", "make sure that the disk is encrypted")]
    if "crypt" in types:
        return [_good("encryption", "the data root is on an encrypted device")]
    return [_warning("encryption", "the data root is on no encrypted device", "put it on LUKS (cryptsetup)")]


def check_clock(offset: float | None, year: int) -> list[Finding]:
    """Agreements start and end by this machine's clock. `offset` is how far it moved beside the monotonic one."""
    if year < 2025:
        return [_bad("clock", f"the year is {year}", "set the clock; run an NTP client")]
    if offset is None:
        return [_warning("clock", "no NTP client says that it is synchronised", "run chrony or systemd-timesyncd")]
    return [_good("clock", "synchronised")]


def check_tls(settings: Settings) -> list[Finding]:
    """Whatever is reached from outside speaks TLS."""
    web = settings.web
    if web.scheme == "https":
        files = [path for path in (web.certificate, web.key) if path is not None]
        gone = [str(path) for path in files if not path.is_file()]
        if gone:
            return [
                _bad(
                    "tls",
                    f"missing: {', '.join(gone)}",
                    "put certificate and key where web.certificate and web.key say",
                )
            ]
        return [_good("tls", "https")]
    try:
        local = ipaddress.ip_address(web.bind).is_loopback
    except ValueError:
        local = web.bind == "localhost"
    if local and (web.host == "localhost" or web.host.endswith(".localhost")):
        return [_good("tls", "not needed: reached from this machine alone")]
    return [
        _bad(
            "tls",
            f"{web.bind}:{web.port} is reached in clear text",
            "set web.scheme = 'https' with web.certificate and web.key, or put a TLS proxy before it on this machine",
        )
    ]


def check_packages(installed: set[str]) -> list[Finding]:
    """The distribution `casbin` is not installed beside `pycasbin`: both install the same folder."""
    if "casbin" in installed:
        return [
            _bad(
                "casbin",
                "the old distribution casbin is installed too",
                "pip uninstall casbin, then reinstall pycasbin",
            )
        ]
    return [_good("casbin", "pycasbin alone")]


def check_proxy() -> list[Finding]:
    """configurable-http-proxy and the node that runs it are there."""
    try:
        path = find_proxy()
    except AccessError as error:
        return [_bad("proxy", "configurable-http-proxy is missing", str(error))]
    if shutil.which("node") is None:
        return [_bad("proxy", "node is missing", "apt-get install nodejs")]
    return [_good("proxy", path)]


def check_login(settings: Settings) -> list[Finding]:
    """A real login provider is configured, with a second factor."""
    login = settings.login
    if login.embedded:
        if settings.web.host.endswith("localhost"):
            return [_good("login", "the embedded provider, for demo and tests")]
        return [
            _bad("login", "the embedded provider is for demo and tests", "set login.embedded = false and login.issuer")
        ]
    if not login.issuer or not login.client_id:
        return [_bad("login", "login.issuer or login.client_id is not set", "see the how-to of your provider")]
    if not login.require_mfa:
        return [_warning("login", "no second factor is asked for", "set login.require_mfa = true")]
    return [_good("login", login.issuer)]


def check_mail(settings: Settings, stuck: Sequence[Notice] | None) -> list[Finding]:
    """Reminders arrive: a mail server is set, and none is `stuck` that was refused or may not have arrived."""
    mail = settings.mail
    if not mail.host:
        return [_warning("mail", "reminders are shown in the portal only", "set mail.host and mail.sender")]
    if stuck is None:
        return []
    if not stuck:
        return [_good("mail", f"{mail.host}:{mail.port}, every notice that is due was taken")]
    waiting = [each for each in stuck if each.stage == Stage.Waiting]
    found = []
    if waiting:
        how = f"{len(waiting)} notices wait. The last try of the oldest: {waiting[0].problem}"
        found.append(_bad("mail", how, "mend it, and they are sent by themselves: enclave notices list"))
    if len(stuck) > len(waiting):
        how = f"of {len(stuck) - len(waiting)} notices nobody knows whether they arrived"
        found.append(_warning("mail", how, "ask those people, or send them again: enclave notices again"))
    return found


def check_database(settings: Settings) -> list[Finding]:
    """The database answers."""
    try:
        engine = open_database(settings.database)
        with reading(engine) as db:
            db.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return [_bad("database", str(error).splitlines()[0], "check database_url, and that the server runs")]
    return [_good("database", engine.dialect.name)]


def device_types(path: Path) -> set[str] | None:
    """The types (disk, part, crypt, …) of the block devices below the file system that holds `path`."""
    try:
        source = subprocess.run(
            ["findmnt", "--noheadings", "--output", "SOURCE", "--target", str(path)],
            check=True, capture_output=True, text=True, timeout=10,
        ).stdout.strip()  # fmt: skip
        listed = subprocess.run(
            ["lsblk", "--json", "--inverse", "--output", "NAME,TYPE", source],
            check=True, capture_output=True, text=True, timeout=10,
        ).stdout  # fmt: skip
        devices = json.loads(listed)["blockdevices"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return None
    found: set[str] = set()
    while devices:
        device = devices.pop()
        found.add(str(device["type"]))
        devices.extend(device.get("children", []))
    return found


def _clock_offset() -> float | None:
    """0.0 when the kernel says that the clock is synchronised, else None."""
    try:
        done = subprocess.run(
            ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
            check=False, capture_output=True, text=True, timeout=5,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return 0.0 if done.stdout.strip() == "yes" else None


def _docker_facts() -> tuple[dict[str, Any] | None, dict[str, str] | None]:
    try:
        client = docker.from_env(timeout=10)
        info: dict[str, Any] = client.info()
        images = {tag: str(image.id) for image in client.images.list() for tag in image.tags}
    except (docker.errors.DockerException, OSError):
        return None, None
    return info, images


def _leftovers(settings: Settings) -> list[Finding]:
    try:
        containers = EngineRoom(settings).ours()
        with reading(open_database(settings.database)) as db:
            known = {record.id for record in live_sessions(db)}
    except (AccessError, SQLAlchemyError):
        return []
    return check_leftovers(known, containers)


def _stuck_notices(settings: Settings) -> Sequence[Notice] | None:
    try:
        with reading(open_database(settings.database)) as db:
            return troubles(db)
    except SQLAlchemyError:  # that the database does not answer is told by its own check
        return None


def _is_running(settings: Settings) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(settings.run / "gateway.sock"))
        except OSError:
            return False
    return True


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which one would repair."""
    info, images = _docker_facts()
    root = settings.data_root
    existing = next(path for path in (root, *root.parents) if path.exists())
    names = {str(found.metadata["Name"]).lower() for found in importlib.metadata.distributions()}
    return [
        *check_docker(settings, info),
        *check_image(settings, images),
        *_leftovers(settings),
        *check_proxy(),
        *check_ports(settings, _is_running(settings)),
        *check_disk(shutil.disk_usage(existing).free),
        *check_data_root(root),
        *check_secrets(settings.keys),
        *check_encryption(existing, device_types),
        *check_clock(_clock_offset(), datetime.fromtimestamp(time.time()).astimezone().year),
        *check_tls(settings),
        *check_login(settings),
        *check_packages(names),
        *check_database(settings),
        *check_mail(settings, _stuck_notices(settings)),
    ]
