"""Remount a dataset read-write.

Way: container
Control: a container whose root has CAP_SYS_ADMIN and no seccomp profile
Held by: no capabilities, no new privileges, and `mount` is refused by the seccomp profile
"""

from tests.redteam.inside import weak_container

ATTACK = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
target = next(line.split()[1] for line in open("/proc/mounts") if line.split()[1].startswith(("/data", "/etc/hostname")))
REMOUNT_BIND = 0x20 | 0x1000
if libc.mount(b"none", target.encode(), None, REMOUNT_BIND, None):
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container(
        "-u",
        "0",
        "--cap-add",
        "SYS_ADMIN",
        "--security-opt",
        "seccomp=unconfined",
        "--security-opt",
        "apparmor=unconfined",
    ) as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_the_mount_stays_read_only(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "Operation not permitted" in outcome.output, outcome.output
