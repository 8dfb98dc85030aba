"""HTML pages and SVG drawings."""

from __future__ import annotations

from tests.fuzz import looking, seeds
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target

_BITS = ("<p>", "</p>", "<table>", "<tr><td>", "<td colspan=3>", "<td rowspan='9'>", "</table>", "<script>", "</script>", "<style>", "</style>", "<svg>", "</svg>", "<math>",
         "<mtext>", "<template>", "<noscript>", "<!--", "-->", "--!>", "<![CDATA[", "]]>", "<b/onclick=x>", "<img src=x onerror=y>", "&lt;script&gt;", "&#60;", "&amp;lt;",
         "<title>", "</title>", "<textarea>", "<xmp>", "<plaintext>", "<select><option>", "<form><math><mtext></form><form><mglyph><style>", "<a href=javascript:x>",
         " style='display:none'", " hidden", "<frameset>", "<body onload=x>", "<html lang=x>", "120", "sex", "<h1>", "<pre>\n", "<br/>", "<col>", "<caption>", "<\u200bscript>")  # fmt: skip
_DRAWN = ("<circle cx='1' cy='2' r='3'/>", "<g id='a'>", "</g>", "<path d='M0 0L9 9'/>", "<use href='#a'/>", "<text x='1' y='2'>x</text>", "<image href='data:image/png;base64,AA'/>",
          "<style>*{fill:red}</style>", "<defs>", "</defs>", "<metadata>", "</metadata>", "<!ENTITY a 'b'>", "&a;", "<foreignObject>", " width='9e9'", "<pattern id='p' width='1'>",
          "<filter id='f'><feGaussianBlur stdDeviation='9'/></filter>", "<script>", "<svg>", "</svg>", "<desc>", "<title>")  # fmt: skip


def run(data: bytes) -> None:
    choices = Choices(data)
    how = choices.number(4)
    if how == 0:
        looking.checked("out.html", choices.rest())
    elif how == 1:
        looking.checked("out.svg", choices.rest())
    elif how == 2:
        size = choices.pick(("9", "100", "0", "-1", "1e9", "1e5", "100%", "x"))
        body = "".join(choices.text(_DRAWN, 8) for _ in range(choices.number(24)))
        looking.checked(
            "out.svg",
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="9">{body}</svg>'.encode(
                "utf-8", "replace"
            ),
        )
    else:
        body = "".join(choices.text(_BITS, 12) for _ in range(choices.number(40)))
        looking.checked("out.html", ("<!DOCTYPE html><html><body>" * choices.flag() + body).encode("utf-8", "replace"))


def start() -> list[bytes]:
    made = [b"\x00" + body for body in seeds.files(".html")] + [b"\x01" + body for body in seeds.files(".svg")]
    return made + [bytes([how]) + bytes(range(200)) for how in (2, 3, 4)]


TARGET = Target(
    "markups", "HTML pages and SVG drawings", run, start, tuple(bit.encode() for bit in (*_BITS, *_DRAWN)), share=2.0
)
