"""A real PostgreSQL for tests, started from its binaries as an ordinary user, on a socket of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
MISSING = "PostgreSQL is not installed: apt-get install postgresql"


def _ordinary_user() -> int | None:
    """PostgreSQL refuses to run as root: somebody else's uid, or None when we aren't root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    return known.get("postgres", known["nobody"])


@contextmanager
def postgresql() -> Iterator[Path]:
    """A server that listens on a socket in a folder of its own; yields that folder."""
    # A socket's path may be 107 bytes long, which pytest's own folders exceed.
    folder, uid = Path(tempfile.mkdtemp(prefix="pg-")), _ordinary_user()
    if uid is not None:
        os.chown(folder, uid, -1)
    rights: dict[str, Any] = {} if uid is None else {"user": uid, "group": pwd.getpwuid(uid).pw_gid, "extra_groups": []}
    data = folder / "data"
    binaries = BINARIES[-1]
    made = subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "enclave", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        capture_output=True,
        check=False,
        cwd=folder,
        **rights,
    )
    assert made.returncode == 0, made.stderr.decode()
    log = (folder / "log").open("wb")
    options = ("listen_addresses=", f"unix_socket_directories={folder}", "fsync=off", "max_connections=40")
    running = subprocess.Popen(
        [binaries / "postgres", "-D", data, *(word for option in options for word in ("-c", option))],
        stdout=log,
        stderr=log,
        cwd=folder,
        **rights,
    )
    try:
        _wait_for(folder, running)
        yield folder
    finally:
        running.terminate()
        running.wait(60)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(server: Path) -> Iterator[str]:
    """The URL of a new database on that server; it is dropped in the end."""
    name = f"enclave_{uuid4().hex}"
    engine = create_engine(_url(server, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield _url(server, name)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


def _url(folder: Path, name: str) -> str:
    return f"postgresql+psycopg://enclave@/{name}?host={folder}"


def _wait_for(folder: Path, running: subprocess.Popen[bytes]) -> None:
    engine = create_engine(_url(folder, "postgres"))
    deadline = time.monotonic() + 60
    while True:
        try:
            engine.connect().close()
            break
        except OperationalError:
            assert running.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
    engine.dispose()
