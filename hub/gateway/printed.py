"""Script that code prints into its output: taken out for tiers without `printed_script`.

JupyterLab runs script of output that it trusts, and whatever a kernel has just printed is trusted. What a MIME bundle
may hold is an allowlist; HTML goes through nh3 (no script, no handlers, no forms, no frames), Markdown becomes HTML
first, since it may hold any, SVG is let through only when it has nothing active. Plain text always stays, so that the
reader sees something.
"""

from __future__ import annotations

import re
from typing import Any

import nh3
from markdown_it import MarkdownIt

INERT = frozenset({
    "text/plain", "text/latex", "image/png", "image/jpeg", "image/gif", "application/json",
    "application/geo+json", "application/vnd.jupyter.stdout", "application/vnd.jupyter.stderr",
    "application/vnd.jupyter.error",
})  # fmt: skip
MOST_MARKDOWN = 64 * 1024  # characters; more is shown as it is written
_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
TAKEN_OUT = (
    "[The enclave took out active content of this output: sessions of this tier show pictures, tables and text.]"
)
NOT_LOOKED_AT = (
    "[The enclave could not look at this output in the time it has for one, so it is not shown. Print less: fewer "
    "rows, or a picture.]"
)

_TAGS = frozenset({
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "details", "div", "dl",
    "dt", "em",
    "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol",
    "p", "pre",
    "q", "s", "samp", "small", "span", "strong", "style", "sub", "summary", "sup", "table", "tbody", "td", "tfoot",
    "th",
    "thead", "tr", "u", "ul", "var",
})  # fmt: skip
_ATTRIBUTES = {
    "*": {
        "class",
        "style",
        "title",
        "scope",
        "align",
        "valign",
        "colspan",
        "rowspan",
        "border",
        "width",
        "height",
        "id",
        "dir",
    },
    "a": {"href"},
    "img": {"src", "alt"},
    "details": {"open"},
}
_ACTIVE_SVG = re.compile(
    r"<\s*(?:[a-z0-9_-]+:)?(?:script\w*|foreignobject|iframe|embed|object|handler|animate\w*|set|a|image|img|style)\b"
    r"|\bon[a-z]+\s*=|javascript:|data:|<!|<\?|&",
    re.IGNORECASE,
)
_SVG_PROLOGUE = re.compile(r"^\s*(?:<\?xml[^<>]*\?>\s*)?(?:<!DOCTYPE\s+svg[^<>\[\]]*>\s*)?", re.IGNORECASE)
_SVG_BESIDE = re.compile(r"<!--|<metadata\b[^<>]*>")  # where a comment or metadata begins
_SVG_STYLE = re.compile(r"<style type=\"text/css\">[^<>&@\\]*</style>")
_SVG_ENTITIES = re.compile(r"&(?:amp|lt|gt|quot|apos);")


def text_of(value: Any) -> str:
    """A value of a MIME bundle as text: notebooks keep long ones as a list of lines. Half characters become `?`."""
    text = "".join(str(line) for line in value) if isinstance(value, list) else str(value)
    return text if text.isascii() else text.encode(errors="replace").decode()


def clean_html(html: str) -> str:
    """HTML without anything that acts; links stay, but lead nowhere outside of this origin's page."""
    return nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags={"script", "iframe", "object", "embed", "template", "noscript", "svg", "math"},
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes={"data"},
        link_rel="noopener noreferrer",
    )


def inert_markdown(markdown: str) -> dict[str, str]:
    """Markdown as what a MIME bundle may hold: cleaned HTML, or text where it is long."""
    if len(markdown) > MOST_MARKDOWN:
        return {"text/plain": markdown}
    return {"text/html": clean_html(_MARKDOWN.render(markdown))}


def inert_svg(svg: str) -> str | None:
    """An SVG, such as Matplotlib writes it, without prologue, comments and metadata; None when more in it could act."""
    body = _without_beside(_SVG_PROLOGUE.sub("", svg, count=1))
    if body is None:
        return None
    looked_at = _SVG_ENTITIES.sub("", _SVG_STYLE.sub("", body))
    return None if _ACTIVE_SVG.search(looked_at) else body


def _without_beside(svg: str) -> str | None:
    """An SVG without comments and metadata, or None when one has no end.

    Each part is looked at once. One expression that finds beginning and end would look for the end anew from each of
    a million beginnings, and hold up every session meanwhile.
    """
    kept, at = [], 0
    while begun := _SVG_BESIDE.search(svg, at):
        end = "-->" if begun[0] == "<!--" else "</metadata>"
        over = svg.find(end, begun.end())
        if over < 0:
            return None
        kept.append(svg[at : begun.start()])
        at = over + len(end)
    kept.append(svg[at:])
    return "".join(kept)


def clean_bundle(bundle: dict[str, Any]) -> dict[str, Any]:
    """A MIME bundle with only what is inert; says in the text when something had to go."""
    kept: dict[str, Any] = {}
    taken = False
    for kind, value in bundle.items():
        name = kind.partition(";")[0].strip().lower()
        if name in INERT:
            kept[kind] = value
        elif name == "text/html":
            before = text_of(value)
            kept[kind] = clean_html(before)
            taken = taken or "<script" in before.lower()
        elif name == "text/markdown":
            before = text_of(value)
            kept = inert_markdown(before) | kept
            taken = taken or "<script" in before.lower()
        elif name == "image/svg+xml" and (svg := inert_svg(text_of(value))) is not None:
            kept[kind] = svg
        else:
            taken = True
    if taken and not any(kind in kept for kind in ("text/html", "image/png", "image/jpeg", "image/svg+xml")):
        plain = text_of(kept.get("text/plain", ""))
        kept["text/plain"] = f"{plain}\n{TAKEN_OUT}" if plain else TAKEN_OUT
    return kept


def clean_output(output: Any) -> Any:
    """An output of a cell, cleaned; anything that is no output becomes an empty stream."""
    if not isinstance(output, dict):
        return {"output_type": "stream", "name": "stderr", "text": TAKEN_OUT}
    if output.get("output_type") in ("stream", "error"):
        return output
    bundle = output.get("data")
    return output | {"data": clean_bundle(bundle) if isinstance(bundle, dict) else {"text/plain": TAKEN_OUT}}


def clean_notebook(notebook: Any) -> Any:
    """A notebook whose outputs are cleaned; widget state is dropped."""
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        return notebook
    cells = []
    for cell in notebook["cells"]:
        if isinstance(cell, dict) and isinstance(cell.get("outputs"), list):
            cell = cell | {"outputs": [clean_output(output) for output in cell["outputs"]]}  # noqa: PLW2901
        cells.append(cell)
    metadata = notebook.get("metadata")
    if isinstance(metadata, dict) and "widgets" in metadata:
        metadata = {name: value for name, value in metadata.items() if name != "widgets"}
    return notebook | {"cells": cells, "metadata": metadata}
