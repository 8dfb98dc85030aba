"""Runs one task over one untrusted file in a confined process of its own, and distrusts the answer.

The parent's side: it starts the zygote (see `egress_review.zygote`), hands it descriptors, waits no longer than the limit,
kills what is late, and takes only an answer of the right shape and size.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from access_control.settings import Settings
from egress_review.confinement import Limits
from egress_review.zygote import HEADER

START_SECONDS = 120.0  # importing everything on a machine that is busy with other things


@dataclass(frozen=True)
class Answer:
    """What came back. `failure` is empty, or one of time, crash, memory, size, isolation, index."""

    values: dict[str, Any] = field(default_factory=dict)
    blobs: list[bytes] = field(default_factory=list)
    failure: str = ""
    detail: str = ""


def limits_of(settings: Settings, *, answer_bytes: int = 4 * 1024**2) -> Limits:
    """The limits of a worker by the settings of this enclave."""
    return Limits(
        seconds=float(settings.egress.check_seconds),
        memory_bytes=settings.egress.check_memory_mib * 1024**2,
        answer_bytes=answer_bytes,
    )


class _Zygote:
    """The one zygote of this process, started at the first use and again when it has died or we were forked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def fork(self, descriptors: list[int]) -> int:
        """A pidfd of a new worker that has `descriptors`."""
        with self._lock:
            for attempt in (1, 2):
                control = self._ready()
                try:
                    socket.send_fds(control, [b"task"], descriptors)
                    message, handles, _, _ = socket.recv_fds(control, 16, 1)
                except OSError:
                    message, handles = b"", []
                if message and handles:
                    return handles[0]
                self._stop()
                if attempt == 2:
                    raise OSError("the process that forks workers does not answer")
        raise OSError("unreachable")

    def _ready(self) -> socket.socket:
        if self._owner != os.getpid():
            self._process, self._control = None, None  # inherited over a fork: not ours to speak to
        if self._control is not None and self._process is not None and self._process.poll() is None:
            return self._control
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "HOME": "/nonexistent"}
        # What others free goes back to the system; Arrow's own pools reserve a gigabyte, which counts against the limit.
        environment["ARROW_DEFAULT_MEMORY_POOL"] = "system"
        environment |= {k: v for k, v in os.environ.items() if k == "ENCLAVE_CHECK_DEBUG"}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "egress_review.zygote"],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if "ENCLAVE_CHECK_DEBUG" not in os.environ else None,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        ours.settimeout(START_SECONDS)
        if ours.recv(16) != b"ready":
            ours.close()
            raise OSError("the process that forks workers did not start")
        self._control, self._owner = ours, os.getpid()
        return ours

    def warm(self) -> None:
        with self._lock:
            self._ready()

    def _stop(self) -> None:
        if self._owner != os.getpid():
            return
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
        self._control, self._process = None, None

    def stop(self) -> None:
        with self._lock:
            self._stop()


_zygote = _Zygote()
atexit.register(_zygote.stop)


def warm() -> None:
    """Starts the zygote now, so that the first check does not wait for it."""
    _zygote.warm()


def run(task: dict[str, Any], source: int, limits: Limits) -> Answer:
    """Runs `task` over the open descriptor `source` (which stays open); never raises for what the file does."""
    request = os.memfd_create("task", os.MFD_CLOEXEC)
    reading, writing = os.pipe2(os.O_CLOEXEC)
    handle = -1
    try:
        os.write(request, json.dumps({**task, "limits": asdict(limits)}).encode())
        os.lseek(request, 0, os.SEEK_SET)
        try:
            handle = _zygote.fork([request, source, writing])
        except OSError as error:
            return Answer(failure="isolation", detail=str(error))
        os.close(writing)
        writing = -1
        return _read(reading, handle, limits)
    finally:
        for descriptor in (request, reading, writing, handle):
            if descriptor >= 0:
                os.close(descriptor)


def _read(pipe: int, handle: int, limits: Limits) -> Answer:
    deadline = time.monotonic() + limits.seconds
    received = bytearray()
    failure = ""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            failure = "time"
            break
        ready, _, _ = select.select([pipe], [], [], left)
        if not ready:
            continue
        part = os.read(pipe, 1 << 20)
        if not part:
            break
        received += part
        if len(received) > limits.answer_bytes:
            failure = "size"
            break
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    return Answer(failure=failure) if failure else _unpack(bytes(received))


def _unpack(received: bytes) -> Answer:
    if len(received) < HEADER.size:
        return Answer(failure="crash", detail="the process ended without an answer")
    length, blob_length = HEADER.unpack_from(received)
    if len(received) != HEADER.size + length + blob_length:
        return Answer(failure="crash", detail="the answer was cut off")
    try:
        values = json.loads(received[HEADER.size : HEADER.size + length])
        sizes = [int(size) for size in values.pop("blobs")]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return Answer(failure="crash", detail="the answer was no JSON object")
    if min(sizes, default=0) < 0 or sum(sizes) != blob_length:
        return Answer(failure="crash", detail="the answer did not add up")
    blobs, at = [], HEADER.size + length
    for size in sizes:
        blobs.append(received[at : at + size])
        at += size
    failure = values.pop("failure", "")
    if failure:
        return Answer(failure=str(failure)[:20], detail=str(values.get("detail", ""))[:3000])
    return Answer(values=values, blobs=blobs)
