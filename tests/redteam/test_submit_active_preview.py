"""Run script in a steward's browser by the preview of an HTML page, a notebook or an SVG.

Way: submission
Control: the same files as a web server gives them
Held by: previews are escaped text, plain tables and re-encoded PNG, with the portal's policy; what leaves has no active
markup
"""

import json

import pytest

from tests.redteam import submitting
from tests.redteam.test_submit_markup_in_names import active

SCRIPT = "<script>alert(1)</script><img src='http://evil.example/x.png' onerror='alert(2)'>"
PAGE = (
    f"<html><body><p>results</p>{SCRIPT}<table><tr><th>n</th></tr><tr><td>120{SCRIPT}</td></tr></table></body></html>"
)
NOTEBOOK = json.dumps({
    "nbformat": 4, "nbformat_minor": 5, "metadata": {},
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": SCRIPT},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": "1", "execution_count": 1, "outputs": [
            {"output_type": "display_data", "metadata": {}, "data": {"text/html": SCRIPT, "text/plain": SCRIPT}},
        ]},
    ],
})  # fmt: skip
DRAWING = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='40'><script>alert(1)</script>"
    "<rect width='40' height='40' onload='alert(2)'/></svg>"
)
FILES = {"page.html": PAGE, "results.ipynb": NOTEBOOK, "figure.svg": DRAWING}


def test_control_a_web_server_gives_them_as_they_are(inside, enclave) -> None:
    name = f"{submitting.fresh()}/page.html"
    submitting.write(inside, name, PAGE)
    assert active((submitting.workspace(enclave) / name).read_text())


@pytest.mark.parametrize("name", FILES)
def test_the_preview_has_nothing_active(enclave, inside, name) -> None:
    path = f"{submitting.fresh()}/{name}"
    submitting.write(inside, path, FILES[name])
    request = submitting.draft(enclave, path)
    (kept,) = submitting.submit(enclave, request)
    sam = enclave.signed_in("sam")
    address = f"/services/portal/reviews/{request}/files/{kept.id}/preview"
    shown = sam.get(address)
    assert shown.status_code == 200
    assert not active(f"<div>{shown.text}</div>"), shown.text
    assert "src='http" not in shown.text.replace('"', "'")
    assert "script-src 'self';" in shown.headers["content-security-policy"]
    picture = sam.get(address + "/0.png")
    assert picture.status_code >= 400 or picture.content.startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("name", FILES)
def test_nor_has_what_would_leave(enclave, inside, name) -> None:
    path = f"{submitting.fresh()}/{name}"
    submitting.write(inside, path, FILES[name])
    (kept,) = submitting.submit(enclave, submitting.draft(enclave, path))
    leaves = submitting.leaving(enclave, kept)
    assert b"<script" not in leaves
    assert b"<img" not in leaves
    assert b"onload=" not in leaves
