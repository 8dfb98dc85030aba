"""The table of paths: what it lets through, what it never does, and that its page is in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_control.settings import load_settings
from hub.gateway.allowlist import CLOSED, ROUTES, Asked, Closed, Kind, as_markdown, decode_path, find

TIERS = load_settings(Path("/dev/null")).tiers
PAGE = Path(__file__).parents[4] / "docs" / "reference" / "gateway-paths.md"


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/lab", Kind.Page), ("GET", "/lab/tree/a/b.ipynb", Kind.Page), ("GET", "/lab/workspaces/auto-x", Kind.Page),
        ("GET", "/api/contents", Kind.Contents), ("PUT", "/api/contents/a%20b/%C3%A9.ipynb", Kind.Contents),
        ("GET", "/api/contents/a.ipynb/checkpoints", Kind.Json), ("POST", "/api/contents/a.ipynb/checkpoints/checkpoint", Kind.Json),
        ("GET", "/api/kernels/11927ebf-89fa-449e-8f5f-e9dc2b6e554e/channels", Kind.Kernel),
        ("GET", "/terminals/websocket/1", Kind.Terminal), ("GET", "/kernelspecs/python3/logo-64x64.png", Kind.Image),
        ("GET", "/lab/api/settings/@jupyterlab/apputils-extension:themes", Kind.Json),
    ],
)  # fmt: skip
def test_what_jupyterlab_needs_is_open(method: str, path: str, kind: Kind) -> None:
    found = find(method, path, [], TIERS[0])
    assert isinstance(found, Asked)
    assert found.route.kind is kind


@pytest.mark.parametrize(("beginning", "why"), CLOSED)
def test_what_is_closed_says_why(beginning: str, why: str) -> None:
    assert find("GET", beginning + "/x/y/z", [], TIERS[4]) == Closed(why)


@pytest.mark.parametrize(
    "path",
    [
        "/api/contents/../x", "/api/contents/%2e%2e/x", "/api/contents/%2E%2E%2Fx", "/api/contents/a%2Fb", "/api/contents/a%5Cb",
        "/api/contents/a\\b", "/api/contents/%00", "/api/contents/a%0d%0aX:1", "/api/contents/a%0ab", "/api/contents//x", "//lab",
        "/lab/./x", "/api/contents/%", "/api/contents/%zz", "/api/contents/%ff", "/api/contents/%c0%ae%c0%ae/x", "lab", "",
        "/api/contents/" + "a" * 5000, "/api/contents/\u202e", "http://evil/lab", "*", "/api/contents/x/..", "/api/contents/x/.",
    ],
)  # fmt: skip
def test_paths_that_two_readers_may_read_differently_are_refused(path: str) -> None:
    assert decode_path(path) is None
    assert isinstance(find("GET", path, [], TIERS[0]), Closed)


@given(st.text(min_size=1, max_size=60))
def test_no_path_reaches_the_container_but_through_its_row(text: str) -> None:
    found = find("GET", "/" + text, [], TIERS[0])
    if isinstance(found, Asked):
        assert ".." not in found.path.split("/")
        assert found.target.isascii()
        assert not set(found.target) & set("\r\n \\?#")


def test_only_known_questions_are_passed_on_and_each_once() -> None:
    found = find("GET", "/api/contents/a", [("type", "file"), ("token", "x"), ("1795", "")], TIERS[0])
    assert isinstance(found, Asked)
    assert found.target == "/api/contents/a?type=file"
    assert isinstance(find("GET", "/api/contents/a", [("type", "file"), ("type", "notebook")], TIERS[0]), Closed)
    assert find("GET", "/api/contents/a", [("download", "")], TIERS[0]) == Closed("download")


def test_what_is_asked_is_encoded_by_us() -> None:
    found = find("GET", "/api/contents/a%3Fb%23c%20d%25", [("type", "a&b=c")], TIERS[0])
    assert isinstance(found, Asked)
    assert found.target == "/api/contents/a%3Fb%23c%20d%25?type=a%26b%3Dc"


@pytest.mark.parametrize("number", range(5))
def test_terminals_and_trust_by_tier(number: int) -> None:
    tier = TIERS[number]
    assert isinstance(find("GET", "/terminals/websocket/1", [], tier), Asked) is tier.terminals
    assert isinstance(find("POST", "/api/contents/a.ipynb/trust", [], tier), Asked) is tier.printed_script


def test_every_row_has_a_reason() -> None:
    assert all(len(route.reason) > 10 for route in ROUTES)


def test_the_page_in_the_docs_is_the_table() -> None:
    assert PAGE.read_text() == as_markdown(), "run: python -m hub.gateway.allowlist > docs/reference/gateway-paths.md"
