"""Files as JSON: what a container answers to a read, what a browser saves, and what a server says of its kernels."""

from __future__ import annotations

import base64
import json

from access_control.errors import AccessError
from access_control.settings import Settings
from hub.gateway import contents, kernels
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds, may_refuse
from tests.fuzz.inert import inert_bundle

_TIERS = Settings().tiers
_NAMES = ("type", "format", "content", "cells", "outputs", "output_type", "data", "text/html", "text/markdown", "image/svg+xml", "metadata", "widgets", "source", "attachments",
          "execution_state", "last_activity", "name", "path")  # fmt: skip
_VALUES = ("notebook", "file", "directory", "text", "base64", "json", "<script>x</script>", "<svg onload=x>", "\ud800", "busy", "idle", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59",
           "9999-12-31T23:59:59-23:59", "2026-11-20T21:00:00+00:00", "AAAA", "A===", "stream")  # fmt: skip
_MODEL = {"name": "a.ipynb", "type": "notebook", "format": "json", "content": {"cells": [{"cell_type": "code", "source": "1", "metadata": {}, "outputs": [
    {"output_type": "display_data", "data": {"text/html": "<b>x</b><script>y</script>", "image/svg+xml": "<svg></svg>"}}]}], "metadata": {"widgets": {}}}}  # fmt: skip
_PATHS = ("", "a.ipynb", "a.csv", "a.png", "a.pkl", "a", "b/c.txt", "A.IPYNB")


def run(data: bytes) -> None:
    choices = Choices(data)
    tier = _TIERS[choices.number(4)]
    how = choices.number(5)
    if how == 0:
        body = choices.rest()
    elif how == 1:
        depth = choices.number(4000)
        body = json.dumps(_MODEL).replace('"1"', "[" * depth + "]" * depth).encode()
    elif how == 2:
        body = json.dumps(
            {
                "type": "file",
                "format": choices.pick(("base64", "text")),
                "content": choices.pick((base64.b64encode(choices.some(90)).decode(), choices.text(_VALUES))),
            }
        ).encode()
    else:
        body = json.dumps(choices.bent(_MODEL, _NAMES, _VALUES)).encode()
    path = choices.pick(_PATHS)
    query = {choices.pick(("type", "format", "content")): choices.text(_VALUES) for _ in range(choices.number(2))}
    with may_refuse(AccessError):
        reading = contents.plan_reading(path, query, tier)
        _read(reading, body, tier)
    with may_refuse(AccessError):
        contents.check_writing(path, body, tier)
        model = json.loads(body)
        upload = (
            isinstance(model, dict)
            and model.get("format") == "base64"
            and model.get("type") == "file"
            and model.get("content") is not None
        )
        holds(not upload or tier.uploads == "text", "nothing is uploaded where uploads are closed")
    with may_refuse(ValueError, RecursionError):  # as `at_work` takes them
        holds(isinstance(kernels.any_at_work(json.loads(body), 60.0), bool), "at work or not")
    cut = choices.number(3)
    text = body.decode("utf-8", "replace").encode()
    holds(contents.is_text(text[cut:]) or b"\x00" in text[cut:], "text that is cut is text")


def _read(reading: contents.Reading, body: bytes, tier: object) -> None:
    contents.check_reading(reading, body, body)
    if not reading.parse:
        return
    with may_refuse(ValueError, RecursionError):  # as the gateway takes them: 'something that is not JSON'
        cleaned = contents.clean_reading(reading, body, tier)
        if tier.printed_script:
            holds(cleaned is body, "in a tier with script a file passes as it is")
            return
        content = json.loads(cleaned)["content"]
        for cell in (
            content.get("cells", []) if isinstance(content, dict) and isinstance(content.get("cells"), list) else []
        ):
            for output in (
                cell.get("outputs", []) if isinstance(cell, dict) and isinstance(cell.get("outputs"), list) else []
            ):
                if output.get("output_type") not in ("stream", "error"):
                    inert_bundle(output["data"])


def start() -> list[bytes]:
    made = [
        b"\x02\x00" + json.dumps(_MODEL).encode(),
        b"\x00\x00" + json.dumps([{"execution_state": "idle", "last_activity": "2026-01-01T00:00:00Z"}]).encode(),
    ]
    return made + [bytes([n % 5, how]) + bytes(range(n * 9, n * 9 + 100)) for how in (1, 2, 3, 4, 5) for n in range(5)]


TARGET = Target(
    "contents_json",
    "files, notebooks and kernels as JSON",
    run,
    start,
    tuple(value.encode("utf-8", "replace") for value in (*_NAMES, *_VALUES)),
)
