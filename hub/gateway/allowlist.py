"""What a browser may ask of a session: a table of paths and methods. Whatever is not in it is refused.

Of the 75 or so handlers of a Jupyter server these are the ones that JupyterLab needs. Each row says who answers (the
gateway itself, from its trusted copy, or the container), what kind of content is expected, and why it is open. The page
docs/reference/gateway-paths.md is printed from this table.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from access_control.settings import Tier

MOST_TARGET = 4096
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]|[\ud800-\udfff]")


class Kind(StrEnum):
    """Who answers a route, and how its answer is treated."""

    Page = "page"  # the gateway's own page of JupyterLab
    Own = "own"  # the gateway answers
    Static = "static"  # the gateway's trusted copy of JupyterLab's files
    Json = "json"  # the container answers, with JSON
    Contents = "contents"  # the container answers; contents.py looks at what is asked and answered
    Image = "image"  # the container answers, with an image of a kernel's logo
    Kernel = "kernel"  # a websocket of a kernel's channels
    News = "news"  # a websocket on which the gateway tells its warnings as they come
    Silence = "silence"  # a websocket that the gateway accepts and says nothing on
    Terminal = "terminal"  # a websocket of a terminal
    Screen = "screen"  # a websocket of pictures, in a tier that shows nothing else


@dataclass(frozen=True)
class Route:
    """One row: `{name}` in the pattern is one segment, `{rest}` is the rest of the path; `query` names what is passed
    on.
    """

    pattern: str
    methods: tuple[str, ...]
    kind: Kind
    reason: str
    query: tuple[str, ...] = ()
    only: str = ""  # a switch of the tier that has to be on: terminals or printed_script
    body_bytes: int = 0  # the most that may be sent with it


SMALL = 64 * 1024
_ID = r"[A-Za-z0-9_-]{1,64}"
_FILE = r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}"

ROUTES = (
    Route("/", ("GET",), Kind.Own, "sends the browser to JupyterLab"),
    Route("/enter", ("GET",), Kind.Own, "takes the portal's ticket and gives the session's cookie"),
    Route("/enclave/status", ("GET",), Kind.Own, "tells the page of warnings: budget, end of the session"),
    Route("/enclave/news", ("GET",), Kind.News, "tells the page the same at once"),
    Route("/enclave/page.js", ("GET",), Kind.Own, "the gateway's script that shows the warnings"),
    Route("/favicon.ico", ("GET",), Kind.Own, "browsers ask for it by themselves"),
    Route("/lab", ("GET",), Kind.Page, "JupyterLab's page, written by the gateway"),
    Route("/lab/tree/{rest}", ("GET",), Kind.Page, "JupyterLab with a file open"),
    Route("/lab/workspaces/{rest}", ("GET",), Kind.Page, "JupyterLab with a layout of windows"),
    Route("/static/lab/{rest}", ("GET",), Kind.Static, "JupyterLab's scripts and styles"),
    Route("/lab/extensions/{rest}", ("GET",), Kind.Static, "scripts and styles of the image's extensions"),
    Route("/lab/api/themes/{rest}", ("GET",), Kind.Static, "JupyterLab's themes"),
    Route("/api", ("GET",), Kind.Json, "the server's version"),
    Route("/api/me", ("GET",), Kind.Own, "who is signed in: the gateway knows, the container does not"),
    Route("/api/events/subscribe", ("GET",), Kind.Silence,
          "JupyterLab insists on it; the container's events are closed, so nothing ever comes"),
    Route("/api/contents", ("GET", "POST"), Kind.Contents, "the file browser: the top folder",
          ("type", "content"), body_bytes=SMALL),
    Route("/api/contents/{rest}/checkpoints", ("GET", "POST"), Kind.Json,
          "lists and makes checkpoints; never their content",
          body_bytes=SMALL),
    Route("/api/contents/{rest}/checkpoints/{id}", ("POST", "DELETE"), Kind.Json, "goes back to a checkpoint",
          body_bytes=SMALL),
    Route("/api/contents/{rest}/trust", ("POST",), Kind.Json, "trusts a notebook's printed script",
          only="printed_script",
          body_bytes=SMALL),
    Route("/api/contents/{rest}", ("GET", "PUT", "POST", "PATCH", "DELETE"), Kind.Contents,
          "notebooks, small text and images as JSON; saving, renaming and removing", ("type", "format", "content"),
          body_bytes=32 * 1024 * 1024),
    Route("/api/kernelspecs", ("GET",), Kind.Json, "which kernels there are"),
    Route("/kernelspecs/{file}/{file}", ("GET",), Kind.Image, "the kernels' logos"),
    Route("/api/kernels", ("GET", "POST"), Kind.Json, "lists and starts kernels", body_bytes=SMALL),
    Route("/api/kernels/{id}", ("GET", "DELETE"), Kind.Json, "looks at and stops a kernel"),
    Route("/api/kernels/{id}/interrupt", ("POST",), Kind.Json, "interrupts a kernel", body_bytes=SMALL),
    Route("/api/kernels/{id}/restart", ("POST",), Kind.Json, "restarts a kernel", body_bytes=SMALL),
    Route("/api/kernels/{id}/channels", ("GET",), Kind.Kernel,
          "runs code and shows its output, metered by message type", ("session_id",)),
    Route("/api/sessions", ("GET", "POST"), Kind.Json, "lists which notebook has which kernel", body_bytes=SMALL),
    Route("/api/sessions/{id}", ("GET", "PATCH", "DELETE"), Kind.Json, "changes which notebook has which kernel",
          body_bytes=SMALL),
    Route("/api/terminals", ("GET", "POST"), Kind.Json, "lists and opens terminals", only="terminals",
          body_bytes=SMALL),
    Route("/api/terminals/{id}", ("GET", "DELETE"), Kind.Json, "closes a terminal", only="terminals"),
    Route("/terminals/websocket/{id}", ("GET",), Kind.Terminal, "a terminal's input and output, metered",
          only="terminals"),
    Route("/lab/api/settings", ("GET",), Kind.Json, "JupyterLab's settings", ("ids_only",)),
    Route("/lab/api/settings/{rest}", ("GET", "PUT"), Kind.Json, "reads and keeps a setting", body_bytes=SMALL * 4),
    Route("/lab/api/workspaces", ("GET",), Kind.Json, "the layouts of windows that were kept"),
    Route("/lab/api/workspaces/{rest}", ("GET", "PUT", "DELETE"), Kind.Json, "keeps a layout of windows",
          body_bytes=SMALL * 4),
    Route("/lab/api/translations", ("GET",), Kind.Own, "which languages there are"),
    Route("/lab/api/translations/{id}", ("GET",), Kind.Own, "JupyterLab in that language"),
)  # fmt: skip

# A tier with `pixels_only` has this table in place of the other: everything of Jupyter's own is closed.
PIXELS_ROUTES = (
    Route("/", ("GET",), Kind.Own, "sends the browser to the session's screen"),
    Route("/enter", ("GET",), Kind.Own, "takes the portal's ticket and gives the session's cookie"),
    Route("/enclave/status", ("GET",), Kind.Own, "tells the page of warnings: budget, end of the session"),
    Route("/enclave/news", ("GET",), Kind.News, "tells the page the same at once"),
    Route("/enclave/page.js", ("GET",), Kind.Own, "the gateway's script that shows the warnings"),
    Route("/favicon.ico", ("GET",), Kind.Own, "browsers ask for it by themselves"),
    Route("/enclave/screen", ("GET",), Kind.Page, "the page of the session's screen, written by the gateway"),
    Route("/enclave/screen.js", ("GET",), Kind.Own, "the gateway's script that opens the viewer"),
    Route("/enclave/novnc/{rest}", ("GET",), Kind.Static, "the viewer's scripts, noVNC"),
    Route("/enclave/display", ("GET",), Kind.Screen, "pictures out, keys and pointer in, each message taken apart"),
)

# What is closed, and what the person is told to do instead; the first match of the path's beginning.
CLOSED = (
    ("/files", "download"),
    ("/nbconvert", "download"),
    ("/view", "download"),
    ("/api/nbconvert", "download"),
    ("/lab/api/listings", "closed"),
    ("/api/terminals", "terminals"),
    ("/terminals", "terminals"),
    ("/proxy", "closed"),
    ("/api/shutdown", "closed"),
    ("/metrics", "closed"),
    ("/api/events", "closed"),
    ("/lsp", "closed"),
)


def _compiled(route: Route) -> re.Pattern[str]:
    escaped = (
        re.escape(route.pattern)
        .replace(r"\{id\}", _ID)
        .replace(r"\{file\}", _FILE)
        .replace(r"\{rest\}", r"(?P<rest>.+)")
    )
    return re.compile(escaped)


_COMPILED = tuple((_compiled(route), route) for route in ROUTES)
_COMPILED_PIXELS = tuple((_compiled(route), route) for route in PIXELS_ROUTES)


def front_page(tier: Tier) -> str:
    """Where a session opens."""
    return "/enclave/screen" if tier.pixels_only else "/lab"


@dataclass(frozen=True)
class Asked:
    """A request that the table allows: the row, the path decoded once, `rest` of it, and what to ask the container."""

    route: Route
    path: str
    rest: str
    query: tuple[tuple[str, str], ...]

    @property
    def target(self) -> str:
        """Path and query for the container, encoded by us: nothing of the browser's own encoding is passed on."""
        encoded = quote(self.path, safe="/@:")
        if not self.query:
            return encoded
        return encoded + "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in self.query)


@dataclass(frozen=True)
class Closed:
    """A request that is refused; `why` is download, terminals, method or closed."""

    why: str


def decode_path(raw: str) -> str | None:
    """The path decoded once, or None when it is not one that names the same thing to everybody."""
    if not raw.startswith("/") or len(raw) > MOST_TARGET or not raw.isascii():
        return None
    if re.search(r"%(?![0-9A-Fa-f]{2})|%2[fF]|%5[cC]|%00", raw):
        return None
    try:
        path = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        return None
    if _FORBIDDEN.search(path) or any(part in ("", ".", "..") for part in path.split("/")[1:-1]):
        return None
    return None if path.rsplit("/", 1)[1] in (".", "..") else path


def find(method: str, raw_path: str, query: list[tuple[str, str]], tier: Tier) -> Asked | Closed:
    """Decides whether a session of this tier may be asked this; `raw_path` is as the browser sent it."""
    path = decode_path(raw_path)
    if path is None:
        return Closed("closed")
    if len(path) > 1 and path.endswith("/"):
        path = path.rstrip("/")
    if any(name == "download" for name, _ in query):
        return Closed("download")
    for pattern, route in _COMPILED_PIXELS if tier.pixels_only else _COMPILED:
        match = pattern.fullmatch(path)
        if match is None:
            continue
        if route.only and not getattr(tier, route.only):
            return Closed("terminals" if route.only == "terminals" else "closed")
        if method not in route.methods:
            return Closed("method")
        kept = tuple((name, value) for name, value in query if name in route.query)
        if len({name for name, _ in kept}) != len(kept):
            return Closed("closed")  # a name twice: two readers may take different ones
        return Asked(route, path, match.groupdict().get("rest") or "", kept)
    for beginning, why in CLOSED:
        if path == beginning or path.startswith(beginning + "/"):
            return Closed(why)
    return Closed("closed")


def _row(route: Route) -> str:
    who = dict.fromkeys((Kind.Page, Kind.Own, Kind.News, Kind.Silence), "gateway")
    who[Kind.Static] = "gateway (trusted copy)"
    answers = who.get(route.kind, f"container ({route.kind})")
    return f"| `{route.pattern}` | {', '.join(route.methods)} | {answers} | {route.reason} |"


def as_markdown() -> str:
    """The table as the page docs/reference/gateway-paths.md shows it."""
    lines = [
        "# What a browser may ask of a session",
        "",
        "Printed from `hub/gateway/allowlist.py`. Whatever is not here is answered with 403.",
        "",
        "| path | methods | answered by | why it is open | only where the tier has |",
        "|---|---|---|---|---|",
    ]
    lines += [_row(route) + f" {route.only or 'any'} |" for route in ROUTES]
    lines += ["", "In a tier with `pixels_only` this table holds in its place:", ""]
    lines += ["| path | methods | answered by | why it is open |", "|---|---|---|---|"]
    lines += [_row(route) for route in PIXELS_ROUTES]
    lines += ["", "Closed, with a page that says what to do instead:", ""]
    lines += [f"- `{beginning}/…`: {why}" for beginning, why in CLOSED]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
