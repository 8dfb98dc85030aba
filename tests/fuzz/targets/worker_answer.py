"""What a worker says back to the process that started it: the worker may have been taken over by the file."""

from __future__ import annotations

import json
import struct

from egress_review import sandbox
from egress_review.errors import EgressError
from egress_review.findings import MAX_TEXT, FileResult
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds

_NAMES = (
    "kind",
    "verdict",
    "findings",
    "facts",
    "blobs",
    "failure",
    "detail",
    "rule",
    "severity",
    "where",
    "message",
    "remedy",
    "tables",
    "text",
    "note",
    "rewritten",
)
_VALUES = ("pass", "block", "warn", "blocks", "informs", "csv", "time", "crash", "x" * 900)
_ANSWER = {
    "kind": "csv",
    "verdict": "pass",
    "findings": [{"rule": "r", "severity": "warns", "where": "w", "message": "m", "remedy": "r"}],
    "facts": {"bytes": 3},
    "blobs": [2, 1],
}


def run(data: bytes) -> None:
    choices = Choices(data)
    if choices.number(3) == 0:
        received = choices.rest()
    else:
        said = json.dumps(choices.bent(_ANSWER, _NAMES, _VALUES)).encode()
        if choices.number(9) == 0:
            depth = choices.number(5000)
            said = said.replace(b'"csv"', b"[" * depth + b"]" * depth)
        blobs = choices.pick((b"abc", b"", choices.some(9)))
        received = struct.pack("<II", len(said), len(blobs)) + said + blobs
    answer = sandbox._unpack(received)
    holds(isinstance(answer.failure, str) and len(answer.failure) <= 20, "a failure is a word")
    holds(isinstance(answer.values, dict), "values are an object")
    if not answer.failure:
        try:
            result = FileResult.from_dict({"path": "x", **answer.values})
        except EgressError:
            return
        holds(all(len(finding.message) <= MAX_TEXT for finding in result.findings), "findings are cut to size")


def start() -> list[bytes]:
    said = json.dumps(_ANSWER).encode()
    return [b"\x00" + struct.pack("<II", len(said), 3) + said + b"abc"] + [
        b"\x01" + bytes(range(n, n + 60)) for n in range(9)
    ]


TARGET = Target(
    "worker_answer",
    "the answer of a worker that may have been taken over",
    run,
    start,
    (b'"blobs":', b'"failure":'),
    share=0.5,
)
