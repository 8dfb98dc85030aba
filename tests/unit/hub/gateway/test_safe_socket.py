"""What the researcher can put in the place of the socket, and that none of it leads anywhere."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from access_control.errors import Refused
from hub.gateway import safe_socket

ME = os.getuid()


def listening(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


def test_a_socket_of_the_session_is_connected_to(tmp_path: Path) -> None:
    with listening(tmp_path / "s"):
        connection = asyncio.run(safe_socket.connect(tmp_path / "s", ME))
        assert safe_socket.peer_uid(connection) == ME
        connection.close()


def link(path: Path) -> None:
    listening(path.with_name("host.sock"))
    path.symlink_to(path.with_name("host.sock"))


def link_of_link(path: Path) -> None:
    link(path.with_name("other"))
    path.symlink_to("other")


TRICKS: dict[str, Callable[[Path], None]] = {
    "a link to another socket": link,
    "a link to a link": link_of_link,
    "a file": lambda path: path.write_text("x") and None,
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link to nothing": lambda path: path.symlink_to("/nowhere"),
    "a link to Docker": lambda path: path.symlink_to("/var/run/docker.sock"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_anything_else_is_refused(tmp_path: Path, trick: str) -> None:
    path = tmp_path / "s"
    TRICKS[trick](path)
    with pytest.raises((Refused, OSError)):
        asyncio.run(safe_socket.connect(path, ME))


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    with listening(tmp_path / "real" / "s"):
        (tmp_path / "led").symlink_to("real")
        with pytest.raises(OSError, match="Not a directory"):
            asyncio.run(safe_socket.connect(tmp_path / "led" / "s", ME))


def test_a_socket_of_somebody_else_is_refused(tmp_path: Path) -> None:
    with listening(tmp_path / "s"), pytest.raises(Refused, match="somebody else"):
        asyncio.run(safe_socket.connect(tmp_path / "s", ME + 1))


def test_a_listener_of_somebody_else_is_refused(tmp_path: Path) -> None:
    if ME != 0:
        pytest.skip("needs root, to give the socket away")
    with listening(tmp_path / "s"):
        os.chown(tmp_path / "s", 64123, 64123)
        with pytest.raises(Refused, match="Another program"):
            asyncio.run(safe_socket.connect(tmp_path / "s", 64123))


def test_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("x")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with pytest.raises(Refused):
            asyncio.run(safe_socket.connect(tmp_path / "s", ME))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
