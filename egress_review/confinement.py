"""How a worker shuts itself in before it reads a byte of an untrusted file: no network, no privilege, bounded resources.

Two walls against the network, of which at least one must stand: an empty network namespace, and a system-call filter that
refuses to make sockets, start programs, trace, mount or load kernel code. Where neither can be had nothing is read.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import platform
import resource
import struct
from dataclasses import dataclass

from egress_review import jail

CLONE_NEWNET = 0x40000000
CLONE_NEWUSER = 0x10000000
CLONE_THREAD = 0x00010000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 1, 4, 38, 22
SECCOMP_MODE_FILTER = 2
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
EPERM, ENOSYS = 1, 38

# System calls by architecture: what a parser never needs. Numbers from the kernel's tables, which never change.
REFUSED = {
    "x86_64": {
        "arch": 0xC000003E, "clone": 56, "clone3": 435,
        "numbers": (41, 42, 43, 44, 49, 50, 53, 57, 58, 59, 101, 105, 106, 113, 114, 117, 119, 155, 161, 165, 166, 169, 175,
                    176, 246, 248, 249, 250, 272, 279, 288, 298, 304, 308, 310, 311, 313, 320, 321, 322, 323, 425, 428, 429,
                    430, 431, 432, 438, 442),
    },
    "aarch64": {
        "arch": 0xC00000B7, "clone": 220, "clone3": 435,
        "numbers": (39, 40, 41, 51, 97, 104, 105, 106, 117, 142, 198, 199, 200, 201, 202, 203, 217, 218, 219, 221, 241, 242,
                    265, 268, 270, 271, 273, 280, 281, 282, 294, 425, 428, 429, 430, 431, 432, 438, 442),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What one worker may use. `memory_bytes` counts beyond what is mapped already when it starts on the file."""

    seconds: float = 60.0
    memory_bytes: int = 1024**3
    answer_bytes: int = 4 * 1024**2
    open_files: int = 1024
    uid: int = 65534  # nobody: not the sessions' own, whose processes it could then signal


class Unconfined(Exception):
    """Neither wall against the network could be put up."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def forbid_system_calls() -> bool:
    """Installs the system-call filter; False when this machine or kernel has none."""
    table = REFUSED.get(platform.machine())
    if table is None:
        return False
    numbers = table["numbers"]
    if not isinstance(numbers, tuple):
        return False
    refuse, absent, clone = len(numbers) + 11, len(numbers) + 12, len(numbers) + 8  # where the verdicts stand
    program: list[tuple[int, int, int, int]] = [
        (0x20, 0, 0, 4),  # load the architecture
        (0x15, 1, 0, int(str(table["arch"]))),
        (0x06, 0, 0, KILL),
        (0x20, 0, 0, 0),  # load the number
        (0x35, refuse - 5, 0, 0x40000000),  # the x32 numbers, which go round a list of the others
        (0x15, absent - 6, 0, int(str(table["clone3"]))),
        (0x15, clone - 7, 0, int(str(table["clone"]))),
    ]
    program += [(0x15, refuse - len(program) - place - 1, 0, number) for place, number in enumerate(numbers)]
    program += [
        (0x06, 0, 0, ALLOW),
        (0x20, 0, 0, 16),  # clone: load its flags
        (0x45, 0, 1, CLONE_THREAD),
        (0x06, 0, 0, ALLOW),
        (0x06, 0, 0, ERRNO | EPERM),
        (0x06, 0, 0, ERRNO | ENOSYS),  # clone3: glibc then falls back to clone, whose flags can be read
    ]
    packed = b"".join(struct.pack("HBBI", *line) for line in program)
    buffer = ctypes.create_string_buffer(packed, len(packed))
    header = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(buffer))
    libc = _libc()
    return bool(
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        and libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.create_string_buffer(header, len(header)), 0, 0) == 0
    )


def leave_network() -> bool:
    """Moves this process into an empty network namespace; False when it may not."""
    libc = _libc()
    if os.geteuid() == 0:
        return bool(libc.unshare(CLONE_NEWNET) == 0)
    return bool(libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)


def die_with_parent() -> None:
    """Has the kernel kill this process when the one that forked it ends."""
    _libc().prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (bound, bound))


def confine(limits: Limits) -> None:
    """Shuts this process in for good; raises Unconfined when the network could not be taken away."""
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - a pseudo-file
        mapped = int(statm.read().split()[0]) * resource.getpagesize()
    network_gone = leave_network()
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_CPU, max(1, int(limits.seconds * 2) + 1))
    _lower(resource.RLIMIT_AS, mapped + limits.memory_bytes + 512 * 1024**2)  # threads reserve room that they never use
    _lower(resource.RLIMIT_DATA, mapped + limits.memory_bytes)
    if os.geteuid() == 0:
        jail.enter(jail.needed())
        _lower(resource.RLIMIT_NPROC, 1024)
        os.setgroups([])
        os.setresgid(limits.uid, limits.uid, limits.uid)
        os.setresuid(limits.uid, limits.uid, limits.uid)
    _libc().prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    filtered = forbid_system_calls()
    if not (network_gone or filtered):
        raise Unconfined
