"""Opening files of an untrusted folder without ever leaving it: openat2(2) with RESOLVE_BENEATH and no link followed.

The researcher owns the workspace and may swap any part of a path for a link while it is being opened. The kernel
resolves the whole path in one call and refuses links and mount points, so there is no moment between check and use.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from egress_review.errors import Invalid, Refused

_SYS_OPENAT2 = 437  # the same number on every architecture
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_RESOLVE = _NO_XDEV | _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH
_O_PATH = 0o10000000

_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(folder: int, name: str, flags: int) -> int:
    """A descriptor of `name` (relative) below the open `folder`; raises OSError as open(2) does.

    ELOOP is a link in the path, EXDEV a way out of the folder or into another file system.
    """
    how = _OpenHow(flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0, _RESOLVE)
    encoded = os.fsencode(name)
    if b"\0" in encoded:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), name)
    for _ in range(16):  # EAGAIN: something was renamed meanwhile
        fd = _libc.syscall(
            ctypes.c_long(_SYS_OPENAT2), ctypes.c_int(folder), ctypes.c_char_p(encoded), ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )  # fmt: skip
        if fd >= 0:
            return int(fd)
        code = ctypes.get_errno()
        if code not in {errno.EAGAIN, errno.EINTR}:
            break
    if code == errno.ENOSYS:
        raise Refused("This kernel has no openat2, so files cannot be taken safely. Linux 5.6 or later is needed.")
    raise OSError(code, os.strerror(code), name)


@contextmanager
def open_folder(base: str | os.PathLike[str], *below: str) -> Iterator[int]:
    """The descriptor of the folder `below` a trusted `base`, no link followed on the way; raises OSError."""
    fd = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        inner = open_beneath(fd, "/".join(below), os.O_RDONLY | os.O_DIRECTORY) if below else os.dup(fd)
    finally:
        os.close(fd)
    try:
        yield inner
    finally:
        os.close(inner)


@contextmanager
def open_regular(folder: int, name: str) -> Iterator[int]:
    """A regular file with one link, open for reading; raises Invalid with the reason for anything else.

    It is looked at before it is opened (O_PATH): opening a device or a pipe may already do something.
    """
    try:
        seen = open_beneath(folder, name, _O_PATH)
    except OSError as error:
        raise Invalid(why_not(name, error)) from error
    try:
        check_regular(name, os.fstat(seen))
        try:
            fd = os.open(f"/proc/self/fd/{seen}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise Invalid(why_not(name, error)) from error
    finally:
        os.close(seen)
    try:
        yield fd
    finally:
        os.close(fd)


def check_regular(name: str, status: os.stat_result) -> None:
    """Raises Invalid unless `status` is that of a regular file with exactly one link."""
    if stat.S_ISLNK(status.st_mode):
        raise Invalid(why_not(name, OSError(errno.ELOOP, "is a link")))
    if stat.S_ISDIR(status.st_mode):
        raise Invalid(f"{name} is a folder, not a file. Pick the files in it.")
    if not stat.S_ISREG(status.st_mode):
        raise Invalid(f"{name} is no regular file (a pipe, socket or device). Only regular files can be submitted.")
    if status.st_nlink != 1:
        raise Invalid(f"{name} has {status.st_nlink} hard links. Copy it (`cp {name} copy`) and submit the copy.")


def why_not(name: str, error: OSError) -> str:
    """The sentence for a file that could not be opened."""
    if error.errno in {errno.ELOOP, errno.EXDEV}:
        return (
            f"{name} is a link, or is reached through one. Links are never followed: copy the file and submit the copy."
        )
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return f"{name} is not in the workspace. Was it renamed or removed? Pick the file again."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"{name} may not be read by the enclave. Make it readable (`chmod u+r {name}`) and submit again."
    return f"{name} cannot be opened: {error.strerror}."
