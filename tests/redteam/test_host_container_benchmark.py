"""Find what the container part of docker-bench-security, section 5 of the CIS Docker benchmark, would find in a session.

Way: container
Control: a container with every one of those faults
Held by: each check of the section passes on a running session, or is an exception with its reason in the test
"""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hub.container import container_name
from tests.redteam.inside import LABEL, STOCK_IMAGE, weak_container

SENSITIVE = {"/", "/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr"}
Seen = dict[str, Any]  # what `docker inspect` says


@dataclass(frozen=True)
class Check:
    """One check: its number in the benchmark (1.6), its name, and whether a container passes."""

    number: str
    name: str
    passes: Callable[[Seen], bool]


def host(seen: Seen) -> dict[str, Any]:
    return dict(seen["HostConfig"])


def sources(seen: Seen) -> list[str]:
    return [mount["Source"] for mount in seen["Mounts"] if mount["Type"] == "bind"]


def mapped(seen: Seen) -> list[dict[str, str]]:
    return [one for ones in (host(seen)["PortBindings"] or {}).values() for one in ones]


def options(seen: Seen) -> list[str]:
    return list(host(seen)["SecurityOpt"] or [])


CHECKS = (
    Check("5.4", "Linux capabilities are restricted",
          lambda c: host(c)["CapDrop"] == ["ALL"] and not host(c)["CapAdd"]),
    Check("5.5", "it is not privileged", lambda c: not host(c)["Privileged"]),
    Check("5.6", "no sensitive folder of the host is mounted", lambda c: not SENSITIVE & set(sources(c))),
    Check("5.8", "no privileged port is mapped", lambda c: all(int(one["HostPort"] or 0) >= 1024 for one in mapped(c))),
    Check("5.9", "only needed ports are open: none", lambda c: not mapped(c) and not host(c)["PublishAllPorts"]),
    Check("5.10", "the host's network is not shared", lambda c: host(c)["NetworkMode"] != "host"),
    Check("5.11", "memory is limited", lambda c: 0 < host(c)["Memory"] == host(c)["MemorySwap"]),
    Check("5.12", "processors are limited (by quota, where the benchmark has shares)",
          lambda c: bool(host(c)["CpuShares"] or host(c)["CpuQuota"] or host(c)["NanoCpus"])),
    Check("5.13", "the root file system is read-only", lambda c: bool(host(c)["ReadonlyRootfs"])),
    Check("5.14", "incoming traffic is bound to an interface", lambda c: all(one["HostIp"] for one in mapped(c))),
    Check("5.15", "it is not started again for ever", lambda c: host(c)["RestartPolicy"]["Name"] in ("", "no")),
    Check("5.16", "the host's processes are not shared", lambda c: host(c)["PidMode"] != "host"),
    Check("5.17", "the host's IPC is not shared", lambda c: host(c)["IpcMode"] in ("private", "none")),
    Check("5.18", "no device of the host is there", lambda c: not host(c)["Devices"]),
    Check("5.19", "limits of files and core dumps are set", lambda c: bool(host(c)["Ulimits"])),
    Check("5.20", "no mount passes mounts on", lambda c: all("shared" not in one["Propagation"] for one in c["Mounts"])),
    Check("5.21", "the host's names are not shared", lambda c: host(c)["UTSMode"] != "host"),
    Check("5.22", "system calls are filtered",
          lambda c: any(one.startswith("seccomp=") and "unconfined" not in one for one in options(c))),
    Check("5.25", "it is in Docker's own control group", lambda c: not host(c)["CgroupParent"]),
    Check("5.26", "no new privileges can be had", lambda c: any(one.startswith("no-new-privileges") for one in options(c))),
    Check("5.29", "the number of processes is limited", lambda c: (host(c)["PidsLimit"] or 0) > 0),
    Check("5.30", "Docker's default bridge is not used",
          lambda c: host(c)["NetworkMode"] not in ("default", "bridge", "host")),
    Check("5.31", "the host's user namespace is not asked for", lambda c: host(c)["UsernsMode"] != "host"),
    Check("5.32", "Docker's socket is not in it", lambda c: not any("docker.sock" in one for one in sources(c))),
)  # fmt: skip

# Checks of the section that a session does not pass, or that say nothing of it, and why.
EXCEPTIONS = {
    "5.1": "Swarm mode is the host's to say; the doctor shows it, and a session uses none of it.",
    "5.2": "AppArmor: the kernels of Debian and Ubuntu put docker-default on by themselves. Where the kernel has none,"
    " seccomp, no capability and no new privileges stand in its place; the session has no root to confine.",
    "5.3": "SELinux: as for AppArmor, on hosts that have it.",
    "5.23": "How people use `docker exec` is no property of a container; nobody but the host's root may.",
    "5.24": "As 5.23. A root that an admin makes in a session has no capability there.",
    "5.27": "No health check inside: the gateway asks the server from outside, and what runs inside is not believed.",
    "5.28": "Images are built by `make images` and never pulled; docs say when to build them anew.",
}
FAULTY = (
    "--privileged", "--cap-add", "SYS_ADMIN", "--pid", "host", "--ipc", "host", "--uts", "host", "--userns", "host",
    "--restart", "always", "--device", "/dev/null:/dev/thing", "--security-opt", "seccomp=unconfined",
    "-v", "/etc:/host/etc:shared", "-v", "/var/run/docker.sock:/var/run/docker.sock", "--cgroup-parent", "thing.slice",
)  # fmt: skip


def inspect(container: str) -> Seen:
    told = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True)
    seen: Seen = json.loads(told.stdout)[0]
    return seen


def created(*wanted: str) -> Seen:
    """What `docker inspect` says of a container that is made so and never started."""
    command = ["docker", "create", "--label", LABEL, *wanted, STOCK_IMAGE, "true"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    try:
        return inspect(made.stdout.strip())
    finally:
        subprocess.run(["docker", "rm", "-f", made.stdout.strip()], capture_output=True, check=False)


@pytest.fixture(scope="module")
def faulty() -> list[Seen]:
    """Two containers with every fault between them: ports are not mapped on the host's network."""
    return [created(*FAULTY, "--network", "host"), created("-p", "22:22")]


def test_the_section_is_covered() -> None:
    told = {check.number for check in CHECKS} | set(EXCEPTIONS) | {"5.7"}
    assert told == {f"5.{number}" for number in range(1, 33)}
    assert all(len(reason) > 30 for reason in EXCEPTIONS.values())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.number)
def test_control_the_check_finds_the_fault(faulty, check) -> None:
    assert any(not check.passes(one) for one in faulty)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.number)
def test_a_session_passes(session, check) -> None:
    assert check.passes(inspect(container_name(session.id)))


def runs_sshd(container: str) -> bool:
    told = subprocess.run(["docker", "top", container, "-eo", "pid,args"], capture_output=True, text=True, check=True)
    return any("sshd" in line.split()[1] for line in told.stdout.splitlines()[1:])


def test_control_a_login_server_is_found() -> None:
    with weak_container(command=("bash", "-c", "exec -a sshd sleep 600")) as control:
        assert runs_sshd(control.container)


def test_5_7_no_login_server_runs(session) -> None:
    assert not runs_sshd(container_name(session.id))
