"""How a page is styled: text that is there and cannot be seen, by any of the ways of CSS; and values in names and attributes."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterator

import lxml.html

from egress_review import kinds
from egress_review.findings import Finding
from egress_review.rules import images, pixels
from egress_review.rules.catalogue import Subject, many, rule
from egress_review.rules.encodings import looks_coded

VEILED = rule(
    "markup.veiled",
    "blocks",
    "Text that is styled away",
    source="CSS Color, Masking, Transforms; observed",
    why="Pale, tiny, clipped, covered or shifted text is in the file and not on the screen.",
    remedy="Remove it, or save the table as CSV.",
)
PARTS = rule(
    "markup.parts",
    "blocks",
    "Parts of a page that a result does not need",
    source="HTML Living Standard; SVG 2",
    why="Fallbacks, choices, definitions and notes to programs are not shown, or not all at once.",
    remedy="Save the page with headings, text and tables alone.",
)
NAMES = rule("markup.names", "blocks", "Names and attributes that hold data", source="Observed",
    why="Ids, classes and unknown attributes are shown nowhere.", remedy="Remove them.")  # fmt: skip

_NOT_SHOWN = {"audio", "video", "canvas", "option", "ruby", "rp", "rt", "marquee", "bdo", "slot", "dialog", "annotation", "annotation-xml", "map", "noframes", "datalist", "switch",
              "symbol", "font-face", "glyph", "missing-glyph", "sodipodi:namedview", "progress", "meter", "xmp", "plaintext"}  # fmt: skip
_PALE_NAMES = {
    "white",
    "snow",
    "ivory",
    "ghostwhite",
    "whitesmoke",
    "floralwhite",
    "mintcream",
    "azure",
    "honeydew",
    "seashell",
    "transparent",
    "aliceblue",
}
_VEILS = re.compile(
    r"(?:^|[;{\s])(?:filter|mix-blend-mode|-?[\w-]*mask(?:-[\w-]+)?|zoom|clip|clip-path|content-visibility|shape-outside)\s*:\s*(?!none|normal|auto|inherit|visible|1\b)[^;}]+|"
    r"opacity\s*:\s*\.?0(?:\.[0-2]\d*)?\s*(?:[;}!]|$)|opacity\s*:\s*\.[0-2]\d*|font-size\s*:\s*(?:0?\.\d+|[0-4](?:\.\d+)?)\s*(?:px|pt)|font-size\s*:\s*0?\.[0-2]\d*\s*(?:em|rem)|font-size\s*:\s*(?:\d|1\d)%|z-index\s*:\s*-|"
    r"(?:margin|left|right|top|bottom|text-indent|letter-spacing)[\w-]*\s*:\s*-\d{3,}|visibility\s*:\s*(?:hidden|collapse)|(?:max-)?(?:height|width)\s*:\s*[01](?:px)?\s*(?:[;}]|$)[^}]*|line-height\s*:\s*0\s*(?:[;}]|$)|"
    r"scale\(\s*0?\.?0|rotate[XY]\(\s*90|display\s*:\s*none|--[\w-]+\s*:\s*[^;}]{24,}|content\s*:\s*[\"'][^\"']{12,}",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in pages, drawings and the HTML of notebooks."""
    pages = [(where, text, media) for where, text, media in subject.facts.get("_markup", [])]
    if subject.kind in ("html", "svg"):
        decoded = kinds.decode(subject.data)
        pages.append((subject.name, decoded[0] if decoded else "", subject.kind))
    for where, text, kind in pages:
        yield from _page(where, text[:4_000_000], svg=kind == "svg" or "<svg" in text[:400].lower())


def _page(where: str, text: str, *, svg: bool) -> Iterator[Finding]:
    after = re.search(r"</(?:html|svg)>(.*)\Z", text, re.DOTALL | re.IGNORECASE)
    if (
        after
        and len(after[1].strip()) > 24
        and (not svg or "</svg>" not in after[1])
        and not text.lstrip().lower().startswith(("<div", "<table", "<p"))
    ):
        yield PARTS.found(where, f"{len(after[1].strip())} characters stand behind the end of the page.")
    comments = list(re.findall(r"<!--(.*?)-->|<\?(?!xml)(.*?)>", text, re.DOTALL))
    if any(len(re.findall(r"\d", "".join(c))) > 24 for c in comments) and not svg:
        yield PARTS.found(where, "A comment holds values.")
    try:
        tree = lxml.html.fromstring(
            f"<div>{text}</div>"
            if not re.match(r"\s*<(?:!doctype|html|\?xml|svg)", text, re.IGNORECASE)
            else text.encode("utf-8", "replace")
        )
    except (ValueError, lxml.etree.ParserError, lxml.etree.XMLSyntaxError):
        return
    names: list[str] = []
    veiled = parts = 0
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        tag = element.tag.rsplit("}", 1)[-1].lower()
        style = str(element.get("style", ""))
        holds = bool(element.text_content().strip())
        grounded = "background" in style or svg
        if holds and (
            _VEILS.search(style)
            or (not grounded and _pale(_declared(style) or str(element.get("color", "") if tag == "font" else "")))
        ):
            veiled += 1
        if tag == "style":
            veiled += sum(
                _hiding_rule(body, svg=svg)
                for body in re.findall(r"\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", element.text or "", flags=re.DOTALL))
            )
            parts += sum(
                len(re.findall(r"\d", c)) > 12 or len(c) > 400
                for c in re.findall(r"/\*(.*?)\*/", element.text or "", re.DOTALL)
            )
        if tag == "title" and not svg and len(element.text_content()) > 120:
            parts += 1
        if (tag in _NOT_SHOWN or ("-" in tag.replace("font-face", "") and not svg)) and len(
            element.text_content().strip()
        ) > 24:
            parts += 1
        if tag == "details" and len(re.findall(r"\d", element.text_content())) > 24 and element.get("open") is None:
            parts += 1
        if (
            svg
            and tag == "text"
            and any(
                _tag(a) in ("defs", "symbol", "clippath", "mask", "pattern", "marker") for a in element.iterancestors()
            )
        ):
            parts += 1
        names += [str(element.get(key)) for key in ("id", "class", "name", "headers", "for") if element.get(key)]
        yield from _attributes(where, element, svg=svg)
    if svg:
        veiled += _drawn_away(tree)
    if veiled:
        yield VEILED.found(where, f"{many(veiled, 'element is', 'elements are')} styled so that text cannot be seen.")
    if parts:
        yield PARTS.found(where, f"{many(parts, 'part holds', 'parts hold')} text that a page does not show.")
    # matplotlib and gt make ids of their own: ten letters and digits after one letter.
    own = [
        n
        for n in names
        if not re.fullmatch(r"(?:[mpC]?[0-9a-f]{10,11}|[a-z]{10}|T_[0-9a-z]+\w*|text_\d+|[A-Za-z_]+\d*)", n)
    ]
    if looks_coded(own) or any(len(n) > 160 for n in own):
        yield NAMES.found(where, f"Ids or classes read like an encoded file, such as {max(own, key=len)[:24]!r}.")


def _tag(element: lxml.html.HtmlElement) -> str:
    return str(element.tag).rsplit("}", 1)[-1].lower()


def _hiding_rule(body: str, *, svg: bool) -> bool:
    colour = _declared(body)
    return bool(_VEILS.search(body)) or (not svg and bool(colour) and "background" not in body and _pale(colour))


def _declared(style: str) -> str:
    match = re.search(r"(?:^|[;\s])color\s*:\s*([^;}!]+)", style, re.IGNORECASE)
    return match[1].strip().lower() if match else ""


def _pale(colour: str) -> bool:
    """Whether a colour is so near to white, or so clear, that it cannot be read on a page."""
    colour = colour.strip().lower()
    if colour in _PALE_NAMES:
        return True
    digits = re.fullmatch(r"#([0-9a-f]{3,8})", colour)
    if digits:
        code = digits[1] if len(digits[1]) >= 6 else "".join(c * 2 for c in digits[1][:3])
        return min(int(code[i : i + 2], 16) for i in (0, 2, 4)) > 231 or (
            len(digits[1]) == 8 and int(digits[1][6:], 16) < 40
        )
    numbers = [float(n) for n in re.findall(r"\d+(?:\.\d+)?|\.\d+", colour)]
    if colour.startswith("rgb") and len(numbers) >= 3:
        return min(numbers[:3]) > 231 or (len(numbers) > 3 and numbers[3] < 0.2)
    if colour.startswith("hsl") and len(numbers) >= 3:
        shades = colorsys.hls_to_rgb(numbers[0] / 360, min(numbers[2] / 100, 1), min(numbers[1] / 100, 1))
        return min(shades) > 0.9 or (len(numbers) > 3 and numbers[3] < 0.2)
    return False


_KNOWN = {
    "style",
    "class",
    "id",
    "colspan",
    "rowspan",
    "scope",
    "headers",
    "align",
    "valign",
    "width",
    "height",
    "border",
    "cellpadding",
    "cellspacing",
    "bgcolor",
    "color",
    "face",
    "size",
    "href",
    "src",
    "alt",
    "title",
    "lang",
    "dir",
    "charset",
    "name",
    "content",
    "http-equiv",
    "rel",
    "type",
    "media",
    "role",
    "span",
    "summary",
    "target",
    "start",
    "value",
    "open",
    "for",
    "abbr",
    "nowrap",
    "d",
    "points",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "dx",
    "dy",
    "fill",
    "stroke",
    "transform",
    "viewbox",
    "version",
    "xmlns",
    "preserveaspectratio",
    "offset",
    "gradientunits",
    "clip-path",
    "opacity",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "text-anchor",
    "stroke-width",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-dasharray",
    "fill-opacity",
    "stroke-opacity",
    "stroke-miterlimit",
    "fill-rule",
    "clip-rule",
    "visibility",
    "display",
    "enable-background",
    "xml:space",
    "refx",
    "refy",
    "markerwidth",
    "markerheight",
    "orient",
    "markerunits",
    "textlength",
    "lengthadjust",
    "glyph-name",
    "horiz-adv-x",
    "unicode",
    "resource",
}


def _attributes(where: str, element: lxml.html.HtmlElement, *, svg: bool) -> Iterator[Finding]:
    for key, value in element.attrib.items():
        name, content = str(key).rpartition("}")[2].lower(), str(value)
        short = name.rpartition(":")[2]
        if (
            svg
            and short == "href"
            and not content.startswith(("#", "data:image/"))
            and element.get("rdf:resource") is None
        ):
            yield NAMES.found(where, "The drawing names an address outside of it.")
        elif svg and short == "href" and content.startswith("data:image/png;base64,"):
            yield from _picture(where, content)
        elif (
            short not in _KNOWN
            and name not in _KNOWN
            and not name.startswith(("data-", "aria-", "xmlns"))
            and len(content) > 24
        ) or (name.startswith("aria-") and len(content) > 120):
            yield NAMES.found(where, f"The attribute {name[:30]!r} holds {len(content)} characters.")


def _picture(where: str, content: str) -> Iterator[Finding]:
    """A picture inside a drawing is looked at as if it had come by itself."""
    import base64

    try:
        data = base64.b64decode(re.sub(r"\s", "", content.partition(",")[2]), validate=True)
        yield from images.in_png(where, data)
        yield from pixels.in_picture(where, data, lossless=True)
    except ValueError:
        yield PARTS.found(where, "A picture in the drawing is no picture.")


def _drawn_away(tree: lxml.html.HtmlElement) -> int:
    """Texts of a drawing that are outside of it, tiny, scaled to nothing, or painted over afterwards."""
    box = [
        _length(part)
        for part in re.split(r"[\s,]+", str(tree.get("viewbox") or tree.get("viewBox") or "").strip())
        if part
    ]
    width = box[2] if len(box) == 4 else _length(str(tree.get("width", "0")))
    height = box[3] if len(box) == 4 else _length(str(tree.get("height", "0")))
    texts, count = 0, 0
    for element in tree.iter():
        tag = _tag(element)
        if re.search(r"scale\(\s*0?\.?0*\s*[,)]", str(element.get("transform", ""))):
            count += 1
        if tag == "text" and element.text_content().strip():
            x, y = _length(str(element.get("x", "0"))), _length(str(element.get("y", "0")))
            moved = element.get("transform") or any(a.get("transform") for a in element.iterancestors())
            outside = (
                width > 0
                and not moved
                and not (-0.1 * width <= x <= 1.02 * width and -0.1 * height <= y <= 1.1 * height)
            )
            size = (
                str(element.get("font-size", ""))
                or (re.search(r"font(?:-size)?:[^;]*?([\d.]+)px", str(element.get("style", ""))) or ["", "10"])[1]
            )
            count += bool(outside or (0 < _length(size) < 2 and not moved))
            texts += 1
        if (
            tag == "rect"
            and texts
            and width > 0
            and _length(str(element.get("width", "0"))) >= 0.9 * width
            and _length(str(element.get("height", "0"))) >= 0.9 * height
        ):
            count += (
                str(element.get("fill", "black")) not in ("none", "transparent")
                and "fill: none" not in str(element.get("style", ""))
                and str(element.get("fill-opacity", "1")) != "0"
            )
    return count


def _length(text: str) -> float:
    match = re.match(r"\s*(-?\d*\.?\d+)", text)
    return float(match[1]) if match else 0.0
