"""Looking at what may take long or much memory, in processes beside the gateway.

One event loop serves every session: whatever holds it up holds up all of them, and with them leases and cuts. Parsing
and cleaning take time that grows faster than what is parsed, for those who know what to print. So whatever is larger
than a few kilobytes is looked at in a process of its own, that has a limit of memory and is ended when it takes too
long; the session that sent it then waits before it may ask for such work again.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import struct
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from access_control.errors import AccessError, Invalid, NotPermitted, Refused
from access_control.settings import Tier
from hub.gateway import contents, messages

INLINE = 8 * 1024  # bytes that are looked at in the gateway itself: the worst of them take some milliseconds
WORKERS = 2
SECONDS = 5.0  # of processor time for one piece of work
_PATIENCE = 4  # times as long by the clock, on a machine that others use too
_START_SECONDS = 60.0
REST_SECONDS = 30.0  # that a session waits whose work took too long
MEMORY = 1024**3  # bytes of address space of one process
_FRAME = struct.Struct(">BII")  # status, and the sizes of what is said and of the bytes beside it
_DONE, _REFUSED, _TOO_LARGE, _INVALID = range(4)
_ERRORS: dict[int, type[AccessError]] = {_REFUSED: NotPermitted, _TOO_LARGE: contents.TooLarge, _INVALID: Invalid}


class TookTooLong(Refused):
    """What a session sent could not be looked at within the time or memory that one may take."""


@dataclass(frozen=True)
class Done:
    """What came of a piece of work: `said` is JSON, `data` the bytes; None when nothing of them is passed on."""

    said: dict[str, Any]
    data: bytes | None


# -- in the gateway ----------------------------------------------------------------------------------------------------


class Aside:
    """The processes, started when they are first needed. One for the whole gateway."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        # All are kept until they are gone, so that nothing of them is left behind.
        self._free: deque[asyncio.subprocess.Process] = deque()
        self._all: set[asyncio.subprocess.Process] = set()
        self._turns: asyncio.Semaphore | None = None
        self._resting: dict[str, float] = {}  # session -> monotonic time from which it may ask again

    async def message(self, session_id: str, data: bytes | str, tier: Tier) -> tuple[str, bytes | str | None]:
        """As `messages.outwards`, for a message of any size; raises TookTooLong."""
        if len(data) <= INLINE or not messages.has_to_be_looked_at(data, tier):
            return messages.outwards(data, tier)
        form, sent = ("text", data.encode(errors="replace")) if isinstance(data, str) else ("binary", data)
        done = await self._do(session_id, "message", tier, sent, form=form)
        kind = str(done.said["kind"])
        return kind, done.data.decode() if isinstance(data, str) and done.data is not None else done.data

    async def may_go_in(self, session_id: str, data: bytes | str, tier: Tier) -> list[bytes | str] | None:
        """As `messages.may_go_in`, for a message of any size; raises TookTooLong."""
        if len(data) <= INLINE or isinstance(data, bytes):
            return messages.may_go_in(data, tier)
        done = await self._do(session_id, "inwards", tier, data.encode(errors="replace"))
        answers: list[bytes | str] | None = done.said["answers"]
        return answers

    async def reading(self, session_id: str, reading: contents.Reading, body: bytes, tier: Tier) -> bytes:
        """As `contents.clean_reading`; raises TookTooLong too."""
        if len(body) <= INLINE:
            return contents.clean_reading(reading, body, tier)
        done = await self._do(session_id, "reading", tier, body, reading=asdict(reading))
        return done.data or b""

    async def writing(self, session_id: str, path: str, body: bytes, tier: Tier) -> None:
        """As `contents.check_writing`; raises TookTooLong too."""
        if len(body) <= INLINE:
            contents.check_writing(path, body, tier)
            return
        await self._do(session_id, "writing", tier, body, path=path)

    async def _do(self, session_id: str, what: str, tier: Tier, data: bytes, **more: Any) -> Done:
        if self._resting.get(session_id, 0.0) > time.monotonic():
            raise TookTooLong("What this session sent before took too long to look at; it waits for a moment.")
        asked = json.dumps({"what": what, "tier": tier.model_dump(), **more}).encode()
        self._turns = self._turns or asyncio.Semaphore(WORKERS)
        async with self._turns:
            worker = await self._worker()
            try:
                async with asyncio.timeout(self._seconds * _PATIENCE):
                    status, done = await _exchange(worker, asked, data)
            except (TimeoutError, OSError, EOFError) as error:
                self._end(worker)
                self._rest(session_id)
                raise TookTooLong("This takes longer to look at, or more memory, than it may.") from error
            except BaseException:
                self._end(worker)  # what it answers would be taken for the answer to the next
                raise
            self._free.append(worker)
        if status != _DONE:
            raise _ERRORS[status](str(done.said["error"]))
        return done

    async def _worker(self) -> asyncio.subprocess.Process:
        while self._free:
            worker = self._free.popleft()
            if worker.returncode is None:
                return worker
        self._all = {one for one in self._all if one.returncode is None}
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hub.gateway.aside",
            str(self._seconds),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1024 * 1024,
        )
        self._all.add(worker)
        try:
            async with asyncio.timeout(_START_SECONDS):
                started = worker.stdout is not None and await worker.stdout.readexactly(1)
        except (TimeoutError, EOFError):
            started = False
        if not started:
            self._end(worker)
            raise Refused("The process that looks at large outputs does not start; see the gateway's log.")
        return worker

    @staticmethod
    def _end(worker: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            worker.kill()

    def _rest(self, session_id: str) -> None:
        now = time.monotonic()
        self._resting = {one: until for one, until in self._resting.items() if until > now}
        self._resting[session_id] = now + REST_SECONDS

    async def close(self) -> None:
        """Ends the processes."""
        for worker in list(self._all):
            self._end(worker)
            await worker.communicate()
        self._all.clear()
        self._free.clear()


async def _exchange(worker: asyncio.subprocess.Process, asked: bytes, data: bytes) -> tuple[int, Done]:
    if worker.stdin is None or worker.stdout is None:
        raise EOFError
    worker.stdin.writelines((_FRAME.pack(_DONE, len(asked), len(data)), asked, data))
    await worker.stdin.drain()
    status, said, size = _FRAME.unpack(await worker.stdout.readexactly(_FRAME.size))
    told: dict[str, Any] = json.loads(await worker.stdout.readexactly(said))
    sent = await worker.stdout.readexactly(size)
    return status, Done(told, sent if told.get("passed", True) else None)


# -- in a process beside it --------------------------------------------------------------------------------------------


def work(asked: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Does one piece of work; raises AccessError."""
    tier = Tier.model_validate(asked["tier"])
    what = asked["what"]
    if what == "message":
        text = asked["form"] == "text"
        kind, passed = messages.outwards(data.decode() if text else data, tier)
        sent = passed.encode(errors="replace") if isinstance(passed, str) else passed
        return {"kind": kind, "passed": sent is not None}, sent or b""
    if what == "inwards":
        return {"answers": messages.may_go_in(data.decode(), tier)}, b""
    if what == "writing":
        contents.check_writing(asked["path"], data, tier)
        return {}, b""
    told = asked["reading"] | {"query": tuple(map(tuple, asked["reading"]["query"]))}
    return {}, contents.clean_reading(contents.Reading(**told), data, tier)


def _answer(source: BinaryIO, sink: BinaryIO) -> bool:
    head = source.read(_FRAME.size)
    if len(head) < _FRAME.size:
        return False
    _, said, size = _FRAME.unpack(head)
    asked, data = json.loads(source.read(said)), source.read(size)
    status, sent = _DONE, b""
    told: dict[str, Any] = {}
    try:
        told, sent = work(asked, data)
    except contents.TooLarge as error:
        status, told = _TOO_LARGE, {"error": str(error)}
    except NotPermitted as error:
        status, told = _REFUSED, {"error": str(error)}
    except (AccessError, ValueError, RecursionError) as error:
        status, told = _INVALID, {"error": str(error)}
    answer = json.dumps(told).encode()
    sink.write(_FRAME.pack(status, len(answer), len(sent)) + answer)
    sink.write(sent)
    sink.flush()
    return True


def main() -> None:
    """Works until the gateway closes the pipe. One piece that takes too much processor time ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)
    seconds = float(sys.argv[1])
    source, sink = os.fdopen(0, "rb"), os.fdopen(1, "wb")
    sink.write(b"+")
    sink.flush()
    going = True
    while going:
        signal.setitimer(signal.ITIMER_PROF, 0)
        source.peek(1)  # waits until there is something, or the end
        signal.setitimer(signal.ITIMER_PROF, seconds)  # its default action ends the process, whatever code it is in
        going = _answer(source, sink)


if __name__ == "__main__":
    main()
