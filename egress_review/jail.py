"""The worker's own root: only the programs and libraries that it runs on, read-only, and nothing of the enclave's data.

Two things come of it. A parser that is taken over finds no file to read, whatever a folder's mode lets everybody do.
And the code can still load a module late where it is installed below a closed folder, such as a home of root's: in the
new root every folder above it is open, and empty but for that one.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/fonts", "/etc/mime.types")
PACKAGES = ("access_control", "egress_review")
PLACE = "/tmp"  # noqa: S108 - only a place to mount on, in a namespace of this process's own


def needed() -> list[str]:
    """What a worker may still read: libraries of the system, of Python and its environment, and our packages."""
    ours = [str(Path(__file__).resolve().parents[1] / package) for package in PACKAGES]
    paths = [*SYSTEM, sys.base_prefix, sys.prefix, *ours]
    return [path for path in dict.fromkeys(paths) if os.path.lexists(path) and path != "/"]


def enter(paths: Iterable[str]) -> bool:
    """Makes a root of `paths`, each at its own place and read-only, and moves this process into it for good.

    False when the machine does not let this process have mounts of its own; nothing is changed then. To be called as
    root, before privileges are given up. Raises OSError when it broke off half-way: the process must not go on then.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        return False
    _mount(libc, None, "/", None, MS_REC | MS_PRIVATE)
    # Opened first: what lies below the place itself would be hidden by the mount.
    wanted = [(path, os.open(path, os.O_PATH | os.O_NOFOLLOW)) for path in _outermost(paths)]
    _mount(libc, "tmpfs", PLACE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m")
    for path, descriptor in wanted:
        _show(libc, path, descriptor)
        os.close(descriptor)
    _mount(libc, None, PLACE, None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    os.chroot(PLACE)
    os.chdir("/")
    return True


def _outermost(paths: Iterable[str]) -> list[str]:
    """The paths without those that lie below another of them."""
    ordered = sorted(dict.fromkeys(paths))
    return [path for path in ordered if not any(path.startswith(other + "/") for other in ordered)]


def _show(libc: ctypes.CDLL, path: str, descriptor: int) -> None:
    target = PLACE + path
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)  # noqa: PTH103, PTH120 - text paths throughout
    if stat.S_ISLNK(os.fstat(descriptor).st_mode):  # on a merged system /lib is a link to usr/lib
        Path(target).symlink_to(os.readlink("", dir_fd=descriptor))
        return
    source = f"/proc/self/fd/{descriptor}"
    if os.path.isdir(source):  # noqa: PTH112
        os.mkdir(target, 0o755)  # noqa: PTH102
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(libc, source, target, None, MS_BIND)
    _mount(libc, None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def _mount(  # noqa: PLR0917 - the order of mount(2)
    libc: ctypes.CDLL, source: str | None, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    encoded = [part.encode() if part is not None else None for part in (source, target, kind, options)]
    if libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mount on {target}: {os.strerror(number)}")
