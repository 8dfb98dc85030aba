"""What may be read and written, by kind, size and tier."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from access_control.errors import NotPermitted
from access_control.settings import Settings
from hub.gateway import contents
from hub.gateway.contents import TooLarge, check_writing, plan_reading

TIERS = Settings().tiers


@pytest.mark.parametrize(
    ("path", "query", "what"),
    [
        ("", {}, "listing"), ("a", {"type": "directory"}, "listing"), ("a.ipynb", {"type": "notebook"}, "notebook"), ("a.ipynb", {}, "notebook"),
        ("a.parquet", {"content": "0"}, "listing"), ("a.py", {"type": "file", "format": "text"}, "text"),
        ("a.PNG", {"type": "file", "format": "base64"}, "image"), ("a", {}, "contents"), ("a.csv", {"type": "file"}, "text"),
    ],
)  # fmt: skip
def test_reading(path: str, query: dict[str, str], what: str) -> None:
    assert plan_reading(path, query, TIERS[0]).what == what


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("a.parquet", {"type": "file"}), ("a.txt", {"type": "file", "format": "base64"}), ("a.zip", {}), ("a.xlsx", {"format": "text"}),
        ("a", {"type": "x"}), ("a", {"format": "x"}), ("a.pdf", {"type": "file", "format": "base64"}), ("a.svg", {"format": "base64"}),
    ],
)  # fmt: skip
def test_what_is_not_read(path: str, query: dict[str, str]) -> None:
    with pytest.raises(NotPermitted):
        plan_reading(path, query, TIERS[0])


def file(content: Any, form: str | None = "text", kind: str = "file") -> bytes:
    return json.dumps({"type": kind, "format": form, "content": content}).encode()


def upload(data: bytes) -> bytes:
    return file(base64.b64encode(data).decode(), "base64")


def notebook(source: Any) -> bytes:
    return whole({"cells": [{"cell_type": "code", "source": source, "outputs": []}]})


def whole(content: Any) -> bytes:
    return file(content, "json", "notebook")


def beside(size: int, outputs: int = 0) -> bytes:
    """A notebook with so much attached to its cell, and so much in its outputs."""
    output = {"output_type": "stream", "name": "stdout", "text": "x" * outputs}
    return whole({"cells": [{"source": "", "outputs": [output], "attachments": {"a.png": {"image/png": "x" * size}}}]})


@pytest.mark.parametrize(
    ("path", "body", "tier"),
    [
        ("a.py", file("x"), 4), ("a.txt", upload(b"text \xc3\xa9"), 2), ("a.txt", upload(b"\xa9 cut at both ends \xc3"), 2),
        ("a.ipynb", notebook("x"), 4), ("a.ipynb", notebook(["x\n", "y"]), 4), ("a", file(None, None, "directory"), 4), ("a.txt", upload(b""), 0),
        ("a.py", file("x" * 1_000_000), 0), ("a.ipynb", beside(10_000, outputs=5_000_000), 4), ("a.ipynb", beside(1_000_000), 2),
    ],
)  # fmt: skip
def test_writing(path: str, body: bytes, tier: int) -> None:
    check_writing(path, body, TIERS[tier])


@pytest.mark.parametrize(
    ("path", "body", "tier", "words"),
    [
        ("a.txt", upload(b"text"), 3, "import review"), ("a.parquet", upload(b"PAR1"), 0, "Only text"), ("a.txt", upload(b"\0"), 0, "Only text"),
        ("a.txt", upload(b"\x89PNG\r\n\x1a\n\xff\xfe\xfd\xfc\xff"), 0, "Only text"), ("a.png", upload(b"text"), 0, "Only text"),
        ("a.txt", file("%%%", "base64"), 0, "damaged"), ("a.py", file("x" * 70_000), 3, "import review"),
        ("a.ipynb", notebook("x" * 20_000), 4, "import review"), ("a.ipynb", notebook(["x" * 10_000] * 2), 4, "Cell 1"),
        ("a", b"not json", 0, "JSON"), ("a", b"[]", 0, "no file"), ("a", file(5), 0, "Only files"), ("a", file("x", "hex"), 0, "as text"),
        ("a.ipynb", file("x", "json", "notebook"), 0, "no notebook"), ("a.txt", upload(b"x" * 3_000_000), 0, "bytes at most"),
        ("a", b"[" * 200_000, 0, "JSON"), ("a.ipynb", beside(20_000), 4, "Cell 1 has more than 16384 bytes of metadata"),
        ("a.ipynb", whole({"cells": [], "metadata": {"x": "y" * 20_000}}), 4, "The notebook has more"),
    ],
)  # fmt: skip
def test_what_is_not_written(path: str, body: bytes, tier: int, words: str) -> None:
    with pytest.raises(NotPermitted, match=words):
        check_writing(path, body, TIERS[tier])


def test_uploads_off_says_whom_to_ask() -> None:
    closed = TIERS[2].model_copy(update={"uploads": "off"})
    with pytest.raises(NotPermitted, match="steward"):
        check_writing("a.txt", upload(b"x"), closed)


def test_code_by_tier() -> None:
    contents.check_code("x" * 16 * 1024, TIERS[4])
    contents.check_code(None, TIERS[4])
    with pytest.raises(TooLarge):
        contents.check_code("é" * 16 * 1024, TIERS[4])
