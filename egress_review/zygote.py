"""The process that workers are forked from: imports everything once, reads no untrusted byte, holds no secret.

Started with an empty environment by `egress_review.sandbox`; its standard input is a control socket. For each message it
forks a worker, which shuts itself in and answers on its pipe, and sends a handle of that worker (a pidfd) back.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import warnings

HEADER = struct.Struct("<II")  # lengths: of the JSON part, of all blobs together


def preload() -> None:
    """Imports what the parsers need, so that no worker pays for it."""
    import decimal  # noqa: F401
    import encodings.idna
    import encodings.latin_1
    import encodings.utf_16  # noqa: F401

    import egress_review.worker

    egress_review.worker.preload()


def serve(control: socket.socket) -> None:
    """Forks a worker a message until the other side closes."""
    while True:
        _reap()
        message, descriptors, _, _ = socket.recv_fds(control, 16, 3)
        if not message:
            return
        if len(descriptors) != 3:
            for descriptor in descriptors:
                os.close(descriptor)
            continue
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                control.close()
                status = _work(*descriptors)
            finally:
                os._exit(status)  # never back into the loop, whatever was raised
        handle = os.pidfd_open(pid)
        for descriptor in descriptors:
            os.close(descriptor)
        socket.send_fds(control, [b"forked"], [handle])
        os.close(handle)


def _reap() -> None:
    """Buries workers that have ended; before that their pidfd can still be had, which a reaped one's cannot."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def _work(request: int, source: int, answer: int) -> int:
    from egress_review import confinement, worker

    confinement.die_with_parent()
    os.setsid()
    # By position, not by the shared offset: a request that is sent again must read the same.
    task = json.loads(os.pread(request, os.fstat(request).st_size, 0))
    os.close(request)
    try:
        prepared = worker.prepare(task)  # maps the indexes while it may still open them
        confinement.confine(confinement.Limits(**task["limits"]))
    except confinement.Unconfined:
        _answer(answer, {"failure": "isolation"}, [])
        return 1
    except Exception as error:
        _answer(answer, {"failure": "index", "detail": str(error)[:500]}, [])
        return 1
    try:
        values, blobs = worker.run(task, source, prepared)
    except (MemoryError, RecursionError):
        values, blobs = {"failure": "memory"}, []
    except BaseException as error:  # a library in Rust that panics raises what is no Exception
        values, blobs = {"failure": "crash", "detail": f"{type(error).__name__}: {error}"[:500]}, []
        if os.environ.get("ENCLAVE_CHECK_DEBUG"):
            import traceback

            values["detail"] = traceback.format_exc()[-3000:]
    _answer(answer, values, blobs)
    return 0


def _answer(pipe: int, values: dict[str, object], blobs: list[bytes]) -> None:
    values["blobs"] = [len(blob) for blob in blobs]
    body = json.dumps(values).encode()
    with os.fdopen(pipe, "wb") as opened:
        opened.write(HEADER.pack(len(body), sum(len(blob) for blob in blobs)))
        opened.write(body)
        for blob in blobs:
            opened.write(blob)


def main() -> None:
    """Entry of `python -m egress_review.zygote`."""
    control = socket.socket(fileno=os.dup(0))
    os.set_inheritable(control.fileno(), False)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    warnings.simplefilter("ignore")
    preload()
    control.sendall(b"ready")
    serve(control)


if __name__ == "__main__":
    sys.setrecursionlimit(2000)
    main()
