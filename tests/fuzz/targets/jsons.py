"""JSON, JSON lines, and ACRO's results.json."""

from __future__ import annotations

import json

from tests.fuzz import looking, seeds
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target

_NAMES = ("version", "acro_version", "results", "output_0", "status", "summary", "files", "name", "exception", "a", "n", "mean", "age", "data", "columns", "index",
          "uid", "properties", "comments", "a\u200b")  # fmt: skip
_VALUES = ("fail", "review", "pass", "fail; threshold", "0.4.8", "out.csv", "text", "=1+1", "\u200b", "12", "town 3")
_RECORD = {"version": "0.4.8", "results": {"output_0": {"uid": "output_0", "status": "review", "type": "table", "summary": "review; threshold: 2 cells",
           "files": [{"name": "output_0.csv", "sdc": {"summary": {"suppressed": False}, "cells": {"threshold": [[0, 1]]}}}], "exception": "asked", "comments": []}}}  # fmt: skip


def run(data: bytes) -> None:
    choices = Choices(data)
    how = choices.number(4)
    name = choices.pick(("out.json", "out.jsonl", "results.json", "a/results.json", "out.geojson"))
    if how == 0:
        body = choices.rest()
    elif how == 1:
        body = json.dumps(choices.bent(_RECORD, _NAMES, _VALUES)).encode()
    elif how == 2:
        body = "\n".join(json.dumps(choices.json(_NAMES, _VALUES)) for _ in range(choices.number(6))).encode()
    elif how == 3:
        depth = choices.number(3000)
        opening, closing = choices.pick((("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")))
        body = (opening * depth + "1" + closing * depth).encode()
    else:
        body = json.dumps(choices.json(_NAMES, _VALUES), ensure_ascii=False).encode("utf-8", "surrogatepass")
    looking.checked(name, body, peers=["output_0.csv", "checksums/output_0.csv.txt"])


def start() -> list[bytes]:
    made = [b"\x00\x00" + body for body in seeds.files(".json", ".jsonl")]
    return made + [bytes([how, 2]) + bytes(range(200)) for how in range(1, 5)] + [b"\x03\x00\xb0\x04\x00"]


TARGET = Target(
    "jsons",
    "JSON, JSON lines and ACRO's record",
    run,
    start,
    (b'{"', b'":', b"[[", b"]]", b"\\u200b", b"1e999", b"NaN", b"null", b"\\ud800"),
)
