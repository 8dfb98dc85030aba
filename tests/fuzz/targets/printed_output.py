"""HTML, Markdown and SVG that code prints, for tiers whose sessions may run no script."""

from __future__ import annotations

from hub.gateway import printed
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target
from tests.fuzz.inert import inert_bundle, inert_html, inert_svg

_BITS = ("<script>", "</script>", "<svg>", "</svg>", "<style>", "</style>", '<style type="text/css">', "<math>", "<mtext>", "<!--", "-->", "<b/onclick=x>", "<img src=x onerror=y>",
         "<img src='data:image/png;base64,AA'>", "<a href='javascript:x'>", '<a href="jav&#x09;ascript:x">', "[x](javascript:y)", "![x](data:text/html,y)", "<table><tr><td>",
         "<form>", "<metadata>", "</metadata>", "<?xml version='1.0'?>", "<!DOCTYPE svg>", "<?", "&amp;", "&lt;", "&#60;", "<path d='M0'/>", "<noscript>", "<p title='</noscript><img src=x onerror=y>'>",
         '<metadata a="<script>">', "<svg:script>", "<x:script>", "<set attributeName=x>", "<use href='#x'/>", "on", "load", "=", " on\nload=x", "`", "```", "\n\n", "* ", "> ", "| a |\n|---|\n")  # fmt: skip


def run(data: bytes) -> None:
    choices = Choices(data)
    text = (
        "".join(choices.text(_BITS, 12) for _ in range(choices.number(30)))
        if choices.number(3)
        else choices.rest().decode("utf-8", "replace")
    )
    text = text.encode("utf-8", "replace").decode()  # a lone surrogate is tried in `kernel_messages`
    clean = printed.clean_html(text)
    inert_html(clean)
    inert_html(printed.clean_html(clean), "HTML that was cleaned twice")  # other than the first where tags cross
    inert_bundle(printed.inert_markdown(text))
    svg = printed.inert_svg(text)
    if svg is not None:
        inert_svg(svg)
    inert_bundle(
        printed.clean_bundle(
            {"text/html": text, "text/markdown": text, "image/svg+xml": text, "application/javascript": text}
        )
    )


def start() -> list[bytes]:
    return [b"\x00" + "".join(_BITS).encode()] + [b"\x01" + bytes(range(n * 11, n * 11 + 70)) for n in range(16)]


TARGET = Target(
    "printed_output", "HTML, Markdown and SVG that code prints", run, start, tuple(bit.encode() for bit in _BITS)
)
