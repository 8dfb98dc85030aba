"""What a PDF holds beyond its pages as they are seen: text without ink, keys that no figure needs, streams that are none."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from typing import Any

import numpy as np
import pikepdf

from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule

_SOURCE = "ISO 32000-2; observed"
UNSEEN = rule(
    "pdf.unseen",
    "blocks",
    "Text without ink",
    source=_SOURCE,
    why="White, transparent, clipped, covered or tiny text can be copied out of the page and is seen by nobody.",
    remedy="Save the figure as PNG.",
)
KEYS = rule(
    "pdf.keys",
    "blocks",
    "Entries that no page needs",
    source=_SOURCE,
    why="Entries of the document and its pages that viewers pass over can hold anything.",
    remedy="Save the figure as PNG.",
)
STREAMS = rule("pdf.streams", "blocks", "Streams that hold something else", source=_SOURCE,
    why="A font that is no font, a drawing that no page draws or bytes behind a packed stream are a file inside the file.",
    remedy="Save the figure as PNG.")  # fmt: skip

_CATALOG = {"/Type", "/Pages", "/Version", "/PageMode", "/PageLayout", "/ViewerPreferences", "/Lang", "/MarkInfo", "/Outlines", "/Names", "/Dests", "/OpenAction", "/PageLabels",
            "/Metadata", "/StructTreeRoot", "/Extensions", "/OCProperties", "/AcroForm", "/AA", "/AF", "/Collection", "/PieceInfo", "/Perms", "/OutputIntents"}  # fmt: skip
_PAGE = {"/Type", "/Parent", "/Resources", "/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox", "/Contents", "/Rotate", "/Group", "/Annots", "/Tabs", "/StructParents", "/UserUnit",
         "/AA", "/AF", "/PieceInfo", "/LastModified"}  # fmt: skip
MAX_OBJECTS, MAX_PAGES, SCALE = 20_000, 20, 2.0


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in a PDF; one that cannot be opened is the business of rules/pdfs.py."""
    if subject.kind != "pdf":
        return
    try:
        with pikepdf.open(BytesIO(subject.data), attempt_recovery=False, suppress_warnings=True) as pdf:
            yield from _document(subject.name, pdf)
            yield from _streams(subject.name, pdf)
            white = []
            for number, page in enumerate(pdf.pages, 1):
                yield from _page(f"page {number}", page)
                white.append(_written_white(page) if number <= MAX_PAGES else 0)
    except pikepdf.PasswordError:
        return
    except (pikepdf.PdfError, RuntimeError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"the PDF cannot be read: {error}") from error
    yield from _ink(subject.data, white)


def _strings(item: Any, depth: int = 0) -> Iterator[str]:
    """All texts below an entry, never going back up to the pages."""
    if depth > 12 or not isinstance(item, pikepdf.Object):
        return
    kind = item._type_name  # noqa: SLF001 - the only name of a type that pikepdf gives
    if kind == "dictionary" and str(item.get("/Type", "")) == "/Page":
        return
    if kind == "string":
        yield str(item)
    elif kind == "array":
        for value in list(item)[:5000]:
            yield from _strings(value, depth + 1)
    elif kind in ("dictionary", "stream"):
        for key, value in item.items():
            if key not in (
                "/Parent",
                "/P",
                "/Pg",
                "/Prev",
                "/First",
                "/Last",
                "/D",
                "/Dest",
                "/Contents",
                "/Resources",
            ):
                yield from _strings(value, depth + 1)


def _document(where: str, pdf: pikepdf.Pdf) -> Iterator[Finding]:
    root = pdf.Root
    odd = sorted(set(root.keys()) - _CATALOG)
    if odd:
        yield KEYS.found(where, f"The document has entries that no figure needs: {', '.join(odd)[:80]}.")
    if "/Lang" in root and not re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}|", str(root.Lang)):
        yield KEYS.found(where, "The language of the document is none.")
    for key, most in (
        ("/PageLabels", 12),
        ("/ViewerPreferences", 20),
        ("/StructTreeRoot", 200),
        ("/OutputIntents", 60),
        ("/Names", 100),
        ("/Outlines", 160),
    ):
        if key not in root:
            continue
        texts = list(_strings(root[key]))
        if key == "/Outlines":
            texts += _titles(root.Outlines)
        if any(len(text) > most for text in texts) or (
            key in ("/PageLabels", "/StructTreeRoot") and sum(map(len, texts)) > 2000
        ):
            yield KEYS.found(where, f"The entry {key} holds {max(map(len, texts))} characters of text.")
    if "/Dests" in root and any(len(str(name)) > 60 for name in root.Dests.keys()):  # noqa: SIM118 - pikepdf's dictionary
        yield KEYS.found(where, "The names of places in the document hold text.")
    if "/ID" in pdf.trailer and any(len(bytes(part)) > 64 for part in pdf.trailer.ID):
        yield KEYS.found(where, "The file's identifier is longer than any.")
    if "/Metadata" in root:
        words = re.sub(r"<[^>]*>|\s+", " ", root.Metadata.read_bytes().decode("utf-8", "replace"))
        if (
            len(words.strip()) > 600
            or any(len(word) > 60 for word in words.split())
            or not re.search(rb"rdf:RDF", root.Metadata.read_bytes())
        ):
            yield KEYS.found(where, "The metadata hold text that is none of a figure.")


def _titles(item: Any) -> list[str]:
    """The titles of an outline, walked along its links; an endless loop ends."""
    found: list[str] = []
    queue: list[Any] = [item]
    seen: set[tuple[int, int]] = set()
    while queue and len(seen) < 2000:
        entry = queue.pop()
        if not isinstance(entry, pikepdf.Object) or entry._type_name != "dictionary" or entry.objgen in seen:  # noqa: SLF001
            continue
        seen.add(entry.objgen)
        if "/Title" in entry:
            found.append(str(entry.Title))
        queue += [entry[key] for key in ("/First", "/Next") if key in entry]
    return found


def _streams(where: str, pdf: pikepdf.Pdf) -> Iterator[Finding]:
    drawn: set[str] = set()
    named: dict[str, bool] = {}
    for number, item in enumerate(pdf.objects):
        if number > MAX_OBJECTS:
            return
        if not isinstance(item, pikepdf.Object) or item._type_name not in ("stream", "dictionary"):  # noqa: SLF001
            continue
        if "/BaseFont" in item and (len(str(item.BaseFont)) > 64 or len(str(item.get("/FontName", ""))) > 64):
            yield STREAMS.found(where, "The name of a font holds text.")
        described = item.get("/FontDescriptor", item)
        for key in ("/FontFile", "/FontFile2", "/FontFile3"):
            if key in described and not described[key].read_bytes()[:4].startswith(
                (b"\x00\x01\x00\x00", b"true", b"OTTO", b"ttcf", b"%!", b"\x80\x01", b"\x01\x00")
            ):
                yield STREAMS.found(where, "A font file is no font.")
        if "/ToUnicode" in item and item.ToUnicode._type_name == "stream":  # noqa: SLF001
            rest = re.sub(
                rb"<[0-9A-Fa-f\s]*>|/[\w-]+|\b(?:begin|end|def|dict|dup|pop|find|define|current|use)\w*|\bresource\b|[\d\s\[\]%!<>()]+|Adobe|UCS|Identity|Resource|ProcSet",
                b"",
                item.ToUnicode.read_bytes(),
            )
            if len(rest) > 150:
                yield STREAMS.found(where, "A table of characters holds text.")
        if "/XObject" in item and item.XObject._type_name == "dictionary":  # noqa: SLF001
            named |= {str(name): True for name in item.XObject.keys()}  # noqa: SIM118
        resources = item.get("/Resources")
        if isinstance(resources, pikepdf.Object) and resources._type_name == "dictionary" and "/XObject" in resources:  # noqa: SLF001
            named |= {str(name): True for name in resources.XObject.keys()}  # noqa: SIM118
        if item._type_name == "stream":  # noqa: SLF001
            yield from _packed(where, item)
            kind = str(item.get("/Subtype", ""))
            if kind == "/Form" or "/Type" not in item:
                drawn |= {
                    f"/{name.decode('latin-1')}" for name in re.findall(rb"/([^\s/<>\[\]()]+)\s+Do\b", _decoded(item))
                }
    spare = sorted(set(named) - drawn)
    if spare:
        yield STREAMS.found(
            where,
            f"{many(len(spare), 'drawing is', 'drawings are')} in the file and drawn on no page: {', '.join(spare)[:60]}.",
        )


def _decoded(stream: Any) -> bytes:
    try:
        return bytes(stream.read_bytes())[: 32 * 1024**2]
    except pikepdf.PdfError:
        return b""  # an image in a format of its own


def _packed(where: str, stream: Any) -> Iterator[Finding]:
    filters = stream.get("/Filter")
    if str(filters) != "/FlateDecode":
        return
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(stream.read_raw_bytes(), 64 * 1024**2)
    except zlib.error:
        return  # pikepdf says so when it is read
    if len(unpacker.unused_data.strip()) > 4:
        yield STREAMS.found(where, f"{len(unpacker.unused_data)} bytes stand behind a packed stream.")


def _page(where: str, page: pikepdf.Page) -> Iterator[Finding]:
    odd = sorted(set(page.obj.keys()) - _PAGE)
    if odd:
        yield KEYS.found(where, f"The page has entries that no figure needs: {', '.join(odd)[:80]}.")
    media, crop = [float(v) for v in page.mediabox], [float(v) for v in page.cropbox]
    if (crop[2] - crop[0]) * (crop[3] - crop[1]) < 0.8 * (media[2] - media[0]) * (media[3] - media[1]):
        yield UNSEEN.found(where, "Most of the page is cut away from view.")
    for note in list(page.obj.get("/Annots", []))[:500]:
        action: Any = note.get("/A", {})
        address = str(action.get("/URI", "")) if isinstance(action, pikepdf.Object) else ""
        if len(address) > 120 or re.search(r"[?#].{24,}", address):
            yield KEYS.found(where, f"A link holds {len(address)} characters.")
    if "/Contents" not in page:
        return
    contents = page.Contents
    streams = list(contents) if contents._type_name == "array" else [contents]  # noqa: SLF001
    body = b"\n".join(stream.read_bytes() for stream in streams)[: 16 * 1024**2]
    bare = re.sub(rb"\((?:\\.|[^\\()])*\)", b"()", body)
    if sum(len(comment) for comment in re.findall(rb"%[^\r\n]{8,}", bare)) > 60:
        yield STREAMS.found(where, "There are comments in the drawing of the page.")
    if sum(len(text) for text in re.findall(rb"/(?:ActualText|Alt|E|T)\s*\(((?:\\.|[^\\()])*)\)", body)) > 60:
        yield UNSEEN.found(where, "Text is given beside the text that is drawn.")
    inline = sum(len(data) for data in re.findall(rb"\bBI\b.{1,200}?\bID\s(.{24,20000}?)\sEI\b", body, re.DOTALL))
    if inline:
        yield STREAMS.found(where, f"A picture of {inline} bytes is written into the drawing of the page.")
    points = re.findall(rb"(-?\d+(?:\.\d+)?)\s+(-?\d+(?:\.\d+)?)\s+[ml]\b", body)
    far = sum(
        not (media[0] - 300 <= float(x) <= media[2] + 300 and media[1] - 300 <= float(y) <= media[3] + 300)
        for x, y in points
    )
    if far > 24 and b" cm" not in body:
        yield UNSEEN.found(where, f"{far} points are drawn outside the page.")


def _written_white(page: pikepdf.Page) -> int:
    """How many characters the page writes in white, whether its fonts have them or not."""
    resources: Any = page.obj.get("/Resources", {})
    fonts: Any = resources.get("/Font", {})
    kept: list[tuple[bool, bool]] = []
    now, wide, count = False, False, 0
    for step in pikepdf.parse_content_stream(page):
        operator, values = str(step.operator), list(step.operands)
        if operator == "q":
            kept.append((now, wide))
        elif operator == "Q" and kept:
            now, wide = kept.pop()
        elif operator in ("g", "rg", "sc", "scn"):
            now = bool(values) and all(_is_number(value) and float(value) > 0.97 for value in values)
        elif operator == "k":
            now = bool(values) and all(_is_number(value) and float(value) < 0.03 for value in values)
        elif operator == "Tf" and values:
            wide = str(fonts.get(str(values[0]), {}).get("/Subtype", "")) == "/Type0"
        elif now and operator in ("Tj", "TJ", "'", '"') and values:
            texts = list(values[-1]) if operator == "TJ" else [values[-1]]
            shown = sum(len(bytes(text).strip()) for text in texts if isinstance(text, pikepdf.String))
            count += shown // 2 if wide else shown
    return count


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal))


def _ink(data: bytes, white: list[int]) -> Iterator[Finding]:
    """Each character that the file gives has to stand on the drawn page, in a colour that differs from its ground, and
    as many on a dark ground as are written in white.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        for number in range(min(len(document), MAX_PAGES)):
            page = document[number]
            width, height = page.get_size()
            scale = min(SCALE, 2400 / max(width, height, 1))
            grey = np.asarray(page.render(scale=scale, grayscale=True).to_numpy()).squeeze().astype(np.int16)
            text = page.get_textpage()
            unseen = tiny = total = beside = dark = 0
            x0, y0 = page.get_cropbox()[:2]
            for place in range(min(text.count_chars(), 4000)):
                if not text.get_text_range(place, 1).strip():
                    continue
                left, bottom, right, top = text.get_charbox(place, loose=False)
                left, right, bottom, top = left - x0, right - x0, bottom - y0, top - y0
                total += 1
                if right < 0 or left > width or top < 0 or bottom > height:
                    # A label that is cut off at the edge stands close to it.
                    near = max(-right, left - width, -top, bottom - height) < 120
                    beside, unseen = beside + near, unseen + (not near)
                    continue
                rows = slice(max(0, int((height - top) * scale) - 1), max(0, int((height - bottom) * scale) + 2))
                spot = grey[rows, max(0, int(left * scale) - 1) : max(0, int(right * scale) + 2)]
                dark += spot.size > 0 and int(np.median(spot)) < 200
                if max(right - left, top - bottom) < 0.9 or right - left < 0.1:
                    tiny += 1
                elif spot.size == 0 or int(spot.max()) - int(spot.min()) < 24:
                    unseen += 1
            if white[number] >= 4 and dark < 0.8 * white[number]:
                yield UNSEEN.found(
                    f"page {number + 1}",
                    f"{white[number]} characters are written in white, {dark} stand on a dark ground.",
                )
            unseen += beside if beside > 80 else 0
            if unseen + tiny >= 8 and unseen + tiny > 0.04 * total:
                yield UNSEEN.found(
                    f"page {number + 1}", f"{unseen + tiny} of {total} characters cannot be seen on the page."
                )
    except pypdfium2.PdfiumError as error:
        raise ValueError(f"the PDF cannot be drawn: {error}") from error
