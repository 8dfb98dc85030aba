"""What the gateway lets through of an output runs nothing in the reader's browser."""

from __future__ import annotations

import re
from typing import Any

import lxml.html

from hub.gateway import printed
from tests.fuzz.contract import holds

_ACTIVE = {
    "script",
    "iframe",
    "object",
    "embed",
    "svg",
    "math",
    "link",
    "meta",
    "base",
    "form",
    "input",
    "button",
    "video",
    "audio",
    "template",
    "frame",
}


def inert_html(html: str, what: str = "HTML") -> None:
    if "<" not in html:
        return
    for element in lxml.html.fromstring(f"<div>{html}</div>".encode("utf-8", "replace")).iter():
        if not isinstance(element.tag, str):
            continue
        holds(element.tag.lower() not in _ACTIVE, f"{what} has a <{element.tag[:20]}>")
        for name, value in element.attrib.items():
            holds(not name.lower().startswith("on"), f"{what} has a handler")
            if name.lower() in ("href", "src", "action", "formaction", "srcset"):
                address = as_a_browser_reads(value)
                holds(
                    not address.startswith(("javascript:", "vbscript:", "http:", "https:", "//")),
                    f"{what} has an address that leads out or runs",
                )


def as_a_browser_reads(address: str) -> str:
    """The address as the URL standard takes it: control characters and blanks off its ends, no tabs or line ends in it."""
    return re.sub(r"[\t\n\r]", "", re.sub(r"^[\x00-\x20]+|[\x00-\x20]+$", "", address)).lower()


def inert_svg(svg: str) -> None:
    looked = svg.lower()
    holds("<script" not in looked and "javascript:" not in looked and "<!" not in looked, "SVG is plain")
    holds(not re.search(r"[\s/\"']on[a-z]+\s*=", looked), "SVG has no handler")


def inert_bundle(bundle: dict[str, Any]) -> None:
    """Every form of an output that was cleaned."""
    for kind, value in bundle.items():
        name = kind.partition(";")[0].strip().lower()
        holds(name in printed.INERT or name in ("text/html", "image/svg+xml"), f"a form {kind[:30]} is not known")
        if name == "text/html":
            inert_html(printed.text_of(value))
        if name == "image/svg+xml":
            inert_svg(printed.text_of(value))
