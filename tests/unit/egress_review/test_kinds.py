import json
import pickle

import pytest

from egress_review import kinds


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.csv", b"a,b\n1,2\n", "csv"),
        ("a.tsv", b"a\tb\n", "csv"),
        ("a.txt", b"hello\n", "text"),
        ("README", b"hello\n", "text"),
        ("a.json", b'{"a": 1}', "json"),
        ("a.jsonl", b'{"a": 1}\n{"a": 2}\n', "json"),
        ("a.ipynb", json.dumps({"cells": [], "nbformat": 4, "metadata": {}}).encode(), "notebook"),
        ("a.html", b"<!DOCTYPE html><html></html>", "html"),
        ("a.svg", b"<?xml version='1.0'?><svg></svg>", "svg"),
        ("a.png", b"\x89PNG\r\n\x1a\n....", "png"),
        ("a.txt", pickle.dumps({"a": 1}), "pickle"),
        ("a.csv", b"\x7fELF....", "program"),
        ("a.bin", b"\x00\x01\x02", "unknown"),
        ("a.csv", b"", "empty"),
    ],
)
def test_the_kind_is_told_from_the_bytes(name, data, kind):
    assert kinds.tell(name, data) == kind


@pytest.mark.parametrize(
    ("name", "kind", "fits"),
    [("a.csv", "csv", True), ("a.PNG", "png", True), ("a.csv", "png", False), ("a.py", "text", True)],
)
def test_the_name_has_to_agree(name, kind, fits):
    assert kinds.fits(name, kind) is fits


def test_what_is_unknown_may_not_leave():
    assert not kinds.KINDS["unknown"].may_leave
