"""Paths, queries and origins of a browser's request."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

from access_control.settings import Settings
from hub.gateway import allowlist, entrance
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds

_BITS = ("/", "//", "/..", "/.", "%2e", "%2E%2e", "%2f", "%5c", "\\", "%00", "%", "%zz", "%C3%A9", "%ff", "?", "#", ";", "lab", "/lab/tree/", "/api/contents", "/api/contents/a", "/checkpoints",
         "/trust", "/api/kernels/", "1", "/channels", "/files/x", "/terminals/websocket/1", "/static/lab/", "%0a", "%0d%0a", "%20", "@", ":", "/api/sessions", "x" * 70, "/lab/api/settings/")  # fmt: skip
_TIERS = Settings().tiers
_SITES = ("same-origin", "cross-site", "same-site", "none", "", "x")
_ORIGINS = ("http://s-1.enclave.localhost:8000", "null", "http://evil", "", "http://S-1.enclave.localhost:8000")


def run(data: bytes) -> None:
    choices = Choices(data)
    raw = (
        choices.rest().decode("latin-1")
        if choices.number(5) == 0
        else "".join(choices.text(_BITS) for _ in range(choices.number(9)))
    )
    query = [
        (choices.pick(("type", "format", "content", "download", "session_id", "ids_only", "x")), choices.text(_BITS))
        for _ in range(choices.number(4))
    ]
    query = [(name, value.encode("utf-8", "replace").decode()) for name, value in query]
    method = choices.pick(("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", ""))
    tier = _TIERS[choices.number(4)]
    asked = allowlist.find(method, raw, query, tier)
    if isinstance(asked, allowlist.Asked):
        target = asked.target
        holds(
            target.isascii() and target.isprintable() and " " not in target and "#" not in target,
            "the target is one line of ASCII",
        )
        parts = urlsplit(target)
        holds(
            unquote(parts.path) == asked.path
            and dict(parse_qsl(parts.query, keep_blank_values=True)) == dict(asked.query),
            "the target says what was asked",
        )
        holds(
            not any(part in ("", ".", "..") for part in asked.path.split("/")[1:]) or asked.path == "/",
            "no path climbs",
        )
        holds(
            method in asked.route.methods and not (set(dict(asked.query)) - set(asked.route.query)),
            "only what the row has",
        )
        holds(allowlist.decode_path(target.partition("?")[0]) == asked.path, "the path is the same to the next reader")
        holds("download" not in dict(query), "nothing is downloaded")
    headers = {}
    for name in ("Origin", "Sec-Fetch-Site", "Sec-Fetch-Dest", "Service-Worker"):
        if choices.flag():
            headers[name] = (
                choices.pick(_ORIGINS)
                if name == "Origin"
                else choices.pick(_SITES)
                if name == "Sec-Fetch-Site"
                else choices.pick(("document", "iframe", "empty", "script", "object", ""))
            )
    websocket = choices.flag()
    kind = choices.pick(list(allowlist.Kind))
    said = entrance.asks_from_elsewhere(method, headers, _ORIGINS[0], kind, websocket=websocket)
    if said is None:
        changes = websocket or method not in ("GET", "HEAD")
        holds(not changes or headers.get("Origin") == _ORIGINS[0], "a change names its own origin")
        holds(headers.get("Origin", _ORIGINS[0]) == _ORIGINS[0], "no other origin asks")


def start() -> list[bytes]:
    return [b"\x00/api/contents/a%20b.ipynb", b"\x00/lab/tree/x", b"\x00/api/kernels/1/channels"] + [
        b"\x01" + bytes(range(n * 5, n * 5 + 60)) for n in range(30)
    ]


TARGET = Target(
    "addresses", "paths, queries and origins of a request", run, start, tuple(bit.encode() for bit in _BITS), share=0.7
)
