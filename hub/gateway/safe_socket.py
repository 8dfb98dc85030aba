"""Connecting to a container's socket without being led elsewhere.

The researcher's code owns the folder that the socket is in: it can replace the socket by a link to any socket of the
host. So each step is opened without following links, the thing found is looked at, and what is connected to is that
very thing and not its name.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
from pathlib import Path

from access_control.errors import Refused


def open_socket_entry(path: Path, uid: int) -> int:
    """An O_PATH descriptor of the socket at `path`; raises Refused when it is no socket, a link, or not `uid`'s.

    Raises FileNotFoundError while it is not there yet.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        entry = os.open(path.name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
    found = os.fstat(entry)
    if not stat.S_ISSOCK(found.st_mode):
        os.close(entry)
        raise Refused("The session's socket was replaced by something else. End the session and start a new one.")
    if found.st_uid != uid:
        os.close(entry)
        raise Refused("The session's socket belongs to somebody else. End the session and start a new one.")
    return entry


def peer_uid(connection: socket.socket) -> int:
    """The user id of the process that listens at the other end."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])


def _check_peer(connection: socket.socket, uid: int) -> None:
    if peer_uid(connection) != uid:
        raise Refused("Another program listens on the session's socket. End the session and start a new one.")


async def connect(path: Path, uid: int) -> socket.socket:
    """A connected, non-blocking stream socket to the server of a session; errors as of `open_socket_entry`, and
    OSError.
    """
    entry = open_socket_entry(path, uid)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        await asyncio.get_running_loop().sock_connect(connection, f"/proc/self/fd/{entry}")
        _check_peer(connection, uid)
    except BaseException:
        connection.close()
        raise
    finally:
        os.close(entry)
    return connection
