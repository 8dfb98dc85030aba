"""What a session's container may do, as plain values for Docker's API: no network, nothing writable, no credential."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from access_control.settings import MIB, Session, Settings

SESSION_LABEL = "enclave.session"
ROOT_LABEL = "enclave.data-root"
PERSON_LABEL = "enclave.person"
PROJECT_LABEL = "enclave.project"

# Narrower than Docker's own, which lets io_uring, ptrace and sockets of every family through, among them the one that
# reaches a virtual machine's host.
SECCOMP_PROFILE = Path(__file__).parents[1] / "images" / "seccomp.json"

WORKSPACE = "/workspace"
SOCKET_FOLDER = "/run/enclave"
ABOUT = "/data/ABOUT.md"
HOME = "/home/researcher"


@dataclass(frozen=True)
class Bind:
    """A folder or file of the host inside the container; a missing source is an error, not an empty folder."""

    source: str
    target: str
    read_only: bool = True


def root_label(data_root: Path) -> str:
    """Tells the containers of this enclave from those of another on the same machine."""
    return hashlib.sha256(str(data_root).encode()).hexdigest()[:16]


def container_name(session_id: str) -> str:
    """The container's name at Docker."""
    return f"enclave-{session_id}"


def command(*, terminals: bool, pixels: bool = False) -> list[str]:
    """Plain JupyterLab on a unix socket; who may speak to it is decided outside.

    With `pixels` a display is on the socket in its place, and shows a browser that shows JupyterLab.
    """
    if pixels:
        return ["show-notebook", f"--ServerApp.terminals_enabled={terminals}"]
    return [
        "jupyter-lab",
        f"--ServerApp.sock={SOCKET_FOLDER}/jupyter.sock",
        f"--ServerApp.terminals_enabled={terminals}",
    ]


def host_config(session: Session, binds: Iterable[Bind]) -> dict[str, Any]:
    """Arguments of docker-py's `create_host_config`."""
    memory = session.memory_mib * MIB
    scratch = f"rw,nosuid,nodev,noexec,size={session.tmpfs_mib}m"
    return {
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true", f"seccomp={SECCOMP_PROFILE.read_text()}"],
        "privileged": False,
        "init": True,
        "ipc_mode": "private",
        "mem_limit": memory,
        "memswap_limit": memory,  # equal: no swap
        "cpu_period": 100_000,
        "cpu_quota": int(session.cpus * 100_000),
        "pids_limit": session.processes,
        "ulimits": [
            {"Name": "nofile", "Soft": 8192, "Hard": 8192},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        "shm_size": min(session.tmpfs_mib, 64) * MIB,
        "tmpfs": {
            "/tmp": f"{scratch},mode=1777",  # noqa: S108 - the container's own
            HOME: f"{scratch},mode=0700,uid={session.uid},gid={session.uid}",
        },
        "mounts": [
            {
                "Type": "bind",
                "Source": bind.source,
                "Target": bind.target,
                "ReadOnly": bind.read_only,
                "BindOptions": {"Propagation": "rprivate"},
            }
            for bind in binds
        ],
        "restart_policy": {"Name": "no"},
        # What a session prints cannot fill the disk.
        "log_config": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
        "auto_remove": False,  # removed by the spawner, after it has read how the container ended
    }


def create_arguments(
    settings: Settings, *, session_id: str, person: str, project: str, terminals: bool, pixels: bool = False
) -> dict[str, Any]:
    """Arguments of docker-py's `create_container`, without the host's part."""
    threads = str(max(1, math.ceil(settings.session.cpus)))
    return {
        "image": settings.session.pixels_image if pixels else settings.session.image,
        "name": container_name(session_id),
        "hostname": project,
        "command": command(terminals=terminals, pixels=pixels),
        "user": f"{settings.session.uid}:{settings.session.uid}",
        "working_dir": WORKSPACE,
        "network_disabled": True,
        # Names the sizes that libraries would otherwise read off the whole machine; nothing here is a secret.
        "environment": {"OMP_NUM_THREADS": threads, "POLARS_MAX_THREADS": threads, "ENCLAVE_PROJECT": project},
        "labels": {
            SESSION_LABEL: session_id,
            ROOT_LABEL: root_label(settings.data_root),
            PERSON_LABEL: person,
            PROJECT_LABEL: project,
        },
    }
