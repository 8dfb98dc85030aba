"""What a workbook's XML says beyond its cells: styles that hide, parts out of place, strings in attributes."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator

import lxml.etree

from egress_review.findings import Finding
from egress_review.rules import zipped
from egress_review.rules.catalogue import Subject, many, rule

VEILED = rule(
    "xlsx.veiled",
    "blocks",
    "Cells that cannot be seen",
    source="ISO/IEC 29500, styles and dimensions",
    why="Text in the colour of its ground, of no size, in rows and columns of no width, under merged cells or far away is on no screen.",
    remedy="Save only the values you show, as CSV.",
)
TEXT = rule(
    "xlsx.text-beside",
    "blocks",
    "Text where a workbook has none",
    source="ISO/IEC 29500, part 1",
    why="Comments of the XML, unknown attributes, number formats and names of styles hold text that no sheet shows.",
    remedy="Save the sheet as CSV.",
)
LOOKS = rule("xlsx.looks", "warns", "A form for nearly every cell", source="Observed: sizes, heights and spellings that change from cell to cell",
    why="Where each row has a height or a size of its own, these carry data.", remedy="Save the sheet as CSV.")  # fmt: skip

_TEXTUAL = {"t", "v", "f", "definedName", "oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter", "formula", "formula1", "formula2",
            "calculatedColumnFormula", "totalsRowFormula", "ext", "xf"}  # fmt: skip
_OURS = re.compile(
    r"https?://(?:schemas\.openxmlformats\.org|schemas\.microsoft\.com|purl\.org|www\.w3\.org|purl\.oclc\.org)/|urn:schemas-microsoft-com:|^$"
)
_FREE = {
    "ref",
    "sqref",
    "spans",
    "uri",
    "Target",
    "Type",
    "ContentType",
    "PartName",
    "typeface",
    "panose",
    "formatCode",
    "Ignorable",
    "topLeftCell",
    "rgb",
}


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in the parts of an Excel workbook."""
    if subject.kind != "xlsx":
        return
    archive = zipped.open_zip(subject.data)
    trees = {
        name: _tree(zipped.member(archive, name)) for name in archive.namelist() if name.endswith((".xml", ".rels"))
    }
    for name, tree in trees.items():
        yield from _clean(name, tree)
        if name.endswith(".rels"):
            yield from _links(name, tree)
    styles = _Styles(trees.get("xl/styles.xml"))
    yield from styles.findings()
    for name, tree in trees.items():
        if re.match(r"^xl/worksheets/[^/]+\.xml$", name):
            yield from _sheet(name, tree, styles)
        elif name.startswith("xl/charts/"):
            yield from _chart(name, tree, trees)
    strings = trees.get("xl/sharedStrings.xml")
    if strings is not None:
        yield from _runs("xl/sharedStrings.xml", strings)


def _tree(data: bytes) -> lxml.etree._Element:
    try:
        return lxml.etree.fromstring(
            data, lxml.etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
        )
    except lxml.etree.XMLSyntaxError as error:
        raise ValueError(f"a part of the workbook is no XML: {error}") from error


def _tag(element: lxml.etree._Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _clean(name: str, tree: lxml.etree._Element) -> Iterator[Finding]:
    """Comments, instructions, foreign names, long attributes and text between elements."""
    blanks = Counter[str]()
    relations = name.endswith(".rels") or name == "[Content_Types].xml" or name.startswith("docProps/")
    for element in [*tree.itersiblings(preceding=True), *tree.iter()]:
        if not isinstance(element.tag, str):
            yield TEXT.found(name, "A comment or instruction stands in the XML.")
            return
        tag = _tag(element)
        for key, value in element.attrib.items():
            space, short = str(key).rpartition("}")[0].lstrip("{"), str(key).rpartition("}")[2]
            most = 400 if short in _FREE else 120
            if not _OURS.match(space):
                yield TEXT.found(name, f"An attribute {short[:40]!r} is of no part of a workbook.")
            elif (
                len(str(value)) > (20_000 if short in ("ref", "sqref", "Requires", "Ignorable") else most)
                and not relations
            ) or (short in ("descr", "codeName", "comment", "prompt") and len(str(value)) > 31):
                yield TEXT.found(name, f"The attribute {short[:40]!r} holds {len(str(value))} characters.")
            elif (
                short == "uri"
                and tag == "ext"
                and not re.fullmatch(r"\{[0-9A-Fa-f-]{36}\}|https?://schemas\.[\w./-]{1,80}", str(value))
            ):
                yield TEXT.found(name, "An extension has a name that is none.")
        for text in (element.text if tag not in _TEXTUAL and not relations else "", element.tail):
            if (
                text
                and text.strip()
                and not name.startswith("xl/charts/")
                and not name.startswith("xl/drawings/")
                and tag not in ("sz", "text")
            ):
                yield TEXT.found(name, f"Text stands where there is none in a workbook: {text.strip()[:30]!r}.")
                return
            if text and not text.strip():
                blanks[text] += 1
        if tag == "ext" and (element.text or "").strip():
            yield TEXT.found(name, "An extension holds text.")
        if tag in ("scenario", "webPublishItem", "customPr", "customWorkbookView", "smartTag", "cellSmartTag"):
            yield TEXT.found(name, f"The part {tag!r} holds values beside the cells.")
    if any(len(blank) > 120 or ("\t" in blank and " " in blank) for blank in blanks):
        yield TEXT.found(name, "Blanks between the elements are a pattern.")


def _links(name: str, tree: lxml.etree._Element) -> Iterator[Finding]:
    for element in tree:
        if isinstance(element.tag, str) and element.get("TargetMode") == "External":
            target = str(element.get("Target"))
            if len(target) > 100 or "?" in target or not re.match(r"https?://|mailto:", target):
                yield TEXT.found(name, f"A link leads out with {len(target)} characters in its address.")


class _Styles:
    """Which styles of cells cannot be seen."""

    def __init__(self, tree: lxml.etree._Element | None) -> None:
        self.tree = tree
        self.unseen: set[int] = set()
        self.sizes: list[str] = []
        if tree is not None:
            self._read(tree)

    def _read(self, tree: lxml.etree._Element) -> None:
        parts = {
            _tag(child): [e for e in child if isinstance(e.tag, str)] for child in tree if isinstance(child.tag, str)
        }
        fonts, fills = parts.get("fonts", []), parts.get("fills", [])
        for place, form in enumerate(parts.get("cellXfs", [])):
            font = _at(fonts, form.get("fontId"))
            fill = _at(fills, form.get("fillId"))
            colour, size = (255, 255, 255), "11"
            if font is not None:
                colour = _colour(_child(font, "color"), (0, 0, 0))
                size = str(getattr(_child(font, "sz"), "attrib", {}).get("val", "11"))
            self.sizes.append(size)
            ground = (255, 255, 255)
            pattern = _child(fill, "patternFill") if fill is not None else None
            if pattern is not None and pattern.get("patternType") not in (None, "none", "gray125"):
                ground = _colour(_child(pattern, "fgColor"), (255, 255, 255))
            if max(abs(a - b) for a, b in zip(colour, ground, strict=True)) < 24 or _number(size, 11) < 4:
                self.unseen.add(place)

    def findings(self) -> Iterator[Finding]:
        """Names and formats that hold text."""
        if self.tree is None:
            return
        where = "xl/styles.xml"
        fonts = {str(e.get("val")) for e in self.tree.iter() if isinstance(e.tag, str) and _tag(e) == "name"}
        if len(fonts) > 8 or any(len(font) > 40 or re.search(r"\d{3}|,", font) for font in fonts):
            yield TEXT.found(where, f"The names of {many(len(fonts), 'font', 'fonts')} hold more than names.")
        named = [
            str(e.get("name"))
            for e in self.tree.iter()
            if isinstance(e.tag, str) and _tag(e) == "cellStyle" and e.get("builtinId") is None
        ]
        if len(named) > 12 or any(len(n) > 40 or re.search(r"\d{3}|,.*,", n) for n in named):
            yield TEXT.found(where, f"The names of {many(len(named), 'style', 'styles')} hold more than names.")
        formats = [str(e.get("formatCode")) for e in self.tree.iter() if isinstance(e.tag, str) and _tag(e) == "numFmt"]
        literals = [text for code in formats for text in re.findall(r'"([^"]*)"', code)]
        if any(len(text) > 30 or re.search(r"\d", text) for text in literals) or len(set(literals)) > 12:
            yield TEXT.found(where, "Number formats hold text of their own.")
        if any(re.match(r'^\s*(?:;{2,3}|"[^"]*"(?:;|$))', code) for code in formats):
            yield VEILED.found(where, "A number format shows something else than the number.")


def _at(items: list[lxml.etree._Element], place: str | None) -> lxml.etree._Element | None:
    return items[int(place)] if place and place.isdigit() and int(place) < len(items) else None


def _child(element: lxml.etree._Element, tag: str) -> lxml.etree._Element | None:
    return next((child for child in element if isinstance(child.tag, str) and _tag(child) == tag), None)


def _number(text: object, default: float) -> float:
    try:
        return float(str(text))
    except ValueError:
        return default


_THEME = {"0": (255, 255, 255), "1": (0, 0, 0), "2": (238, 236, 225), "3": (31, 73, 125)}


def _colour(element: lxml.etree._Element | None, default: tuple[int, int, int]) -> tuple[int, int, int]:
    if element is None:
        return default
    rgb = str(element.get("rgb", ""))
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2})?[0-9A-Fa-f]{6}", rgb):
        return int(rgb[-6:-4], 16), int(rgb[-4:-2], 16), int(rgb[-2:], 16)
    if element.get("theme") is not None:
        tint = _number(element.get("tint", "0"), 0)
        base = _THEME.get(str(element.get("theme")), (90, 120, 160))
        level = [c + (255 - c) * tint if tint > 0 else c * (1 + tint) for c in base]
        return int(level[0]), int(level[1]), int(level[2])
    if element.get("indexed") in ("1", "9", "65"):
        return (255, 255, 255)
    return default


def _cell_place(reference: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"([A-Z]{1,3})(\d{1,7})", reference)
    if not match:
        return None
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]), column


def _sheet(name: str, tree: lxml.etree._Element, styles: _Styles) -> Iterator[Finding]:
    seen: Counter[tuple[int, int]] = Counter()
    unseen = odd_numbers = far_text = 0
    heights: list[str] = []
    sizes: list[str] = []
    places: list[tuple[int, int]] = []
    columns: list[tuple[int, int]] = []
    merged: list[str] = []
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        tag = _tag(element)
        if tag == "row" and element.get("ht"):
            heights.append(str(element.get("ht")))
            unseen += _number(element.get("ht"), 15) < 3 and len(element) > 0
        elif tag == "col" and _number(element.get("width", "9"), 9) < 0.8:
            columns.append((int(_number(element.get("min"), 0)), int(_number(element.get("max"), 0))))
        elif tag == "mergeCell":
            merged.append(str(element.get("ref", "")))
        elif tag == "c" and len(element):
            place = _cell_place(str(element.get("r", "")))
            text = "".join(str(t) for t in element.itertext())
            if place is None or place[0] > 1_048_576 or place[1] > 16_384:
                yield VEILED.found(name, f"A cell lies at {str(element.get('r'))[:20]!r}, where there is none.")
                continue
            seen[place] += 1
            places.append(place)
            style = int(element.get("s", "0")) if str(element.get("s", "0")).isdigit() else 0
            unseen += style in styles.unseen
            sizes.append(styles.sizes[style] if style < len(styles.sizes) else "11")
            far_text += bool(re.search(r"\s{40,}", text))
            value = _child(element, "v")
            if value is not None and element.get("t", "n") == "n" and value.text:
                digits = value.text.strip()
                odd_numbers += (
                    not re.fullmatch(r"-?(?:0|[1-9]\d*)(?:\.\d*[1-9]|\.0)?(?:[eE][-+]?\d+)?", digits)
                    or len(re.sub(r"[-.]|[eE].*", "", digits).strip("0")) > 17
                )
    unseen += sum(low <= column <= high for _, column in places for low, high in columns)
    if unseen or far_text:
        yield VEILED.found(
            name,
            f"{many(unseen + far_text, 'cell or row', 'cells or rows')} cannot be seen: by colour, by size or by blanks before the text.",
        )
    if any(count > 1 for count in seen.values()):
        yield VEILED.found(name, "A cell stands in the sheet twice.")
    if odd_numbers > 3 or (odd_numbers and len(places) < 40 and odd_numbers > 0):
        yield LOOKS.found(
            name, f"{many(odd_numbers, 'number is', 'numbers are')} written as no program writes numbers."
        )
    if len(set(heights)) > 10 or len(set(sizes)) > 10:
        yield LOOKS.found(name, f"The rows have {len(set(heights))} heights and the cells {len(set(sizes))} sizes.")
    yield from _apart(name, places)
    yield from _under(name, merged, seen)
    yield from _runs(name, tree)


def _apart(name: str, places: list[tuple[int, int]]) -> Iterator[Finding]:
    for axis, title in ((0, "rows"), (1, "columns")):
        used = sorted({place[axis] for place in places})
        gaps = [b - a for a, b in itertools.pairwise(used)]
        if gaps and max(gaps) > 50:
            yield VEILED.found(name, f"Cells stand behind {max(gaps) - 1} empty {title}.")


def _under(name: str, merged: list[str], seen: Counter[tuple[int, int]]) -> Iterator[Finding]:
    for reference in merged:
        corners = [_cell_place(corner) for corner in reference.split(":")]
        if len(corners) != 2 or corners[0] is None or corners[1] is None:
            continue
        (top, left), (bottom, right) = corners[0], corners[1]
        if sum(top <= r <= bottom and left <= c <= right and (r, c) != (top, left) for r, c in seen):
            yield VEILED.found(name, f"Values lie under the merged cells {reference[:20]}.")


def _runs(name: str, tree: lxml.etree._Element) -> Iterator[Finding]:
    """Pieces of rich text in white or of no size."""
    for element in tree.iter():
        if isinstance(element.tag, str) and _tag(element) == "rPr":
            colour, size = _child(element, "color"), _child(element, "sz")
            if min(_colour(colour, (0, 0, 0))) > 231 or (size is not None and _number(size.get("val"), 11) < 4):
                yield VEILED.found(name, "A piece of text in a cell is white or too small to read.")
                return


def _chart(name: str, tree: lxml.etree._Element, trees: dict[str, lxml.etree._Element]) -> Iterator[Finding]:
    cells = {
        (e.text or "").strip()
        for part, sheet in trees.items()
        if part.startswith(("xl/worksheets/", "xl/sharedStrings"))
        for e in sheet.iter()
        if isinstance(e.tag, str) and _tag(e) in ("v", "t")
    }
    kept = [(e.text or "").strip() for e in tree.iter() if isinstance(e.tag, str) and _tag(e) == "v" and e.text]
    numbers = {f"{_number(c, float('nan')):.10g}" for c in cells}
    foreign = [k for k in kept if k not in cells and f"{_number(k, float('inf')):.10g}" not in numbers]
    if foreign:
        yield TEXT.found(name, f"The chart keeps {many(len(foreign), 'value that is', 'values that are')} in no cell.")
