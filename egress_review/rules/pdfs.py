"""Hiding places in PDF."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pikepdf

from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule

_SOURCE = "ISO 32000-2; observed"
ATTACHMENT = rule(
    "pdf.attachment",
    "blocks",
    "Attached files",
    source=_SOURCE,
    why="A PDF can carry whole files.",
    remedy="Print to a new PDF, or save the figure as PNG.",
)
ACTIVE = rule(
    "pdf.active",
    "blocks",
    "Scripts, forms and actions",
    source=_SOURCE,
    why="They run when the file is opened, or hold values.",
    remedy="Print to a new PDF, or save the figure as PNG.",
)
LAYERS = rule(
    "pdf.layers",
    "blocks",
    "Layers and hidden text",
    source=_SOURCE,
    why="Layers that are off and text in no colour are in the file and not on the page.",
    remedy="Save the figure as PNG.",
)
REVISIONS = rule(
    "pdf.revisions",
    "blocks",
    "Earlier versions inside",
    source=_SOURCE,
    why="A PDF that was saved by appending keeps what was changed or deleted.",
    remedy="Print to a new PDF.",
)
ORPHANS = rule(
    "pdf.orphans",
    "blocks",
    "Objects that no page uses",
    source=_SOURCE,
    why="They are seen by nobody.",
    remedy="Print to a new PDF.",
)
METADATA = rule(
    "pdf.metadata",
    "blocks",
    "Free text in the properties",
    source=_SOURCE,
    why="Properties are not shown with the page.",
    remedy="Save without metadata.",
)
SCATTER = rule(
    "pdf.vector-scatter",
    "warns",
    "A drawing with a mark for each observation",
    source="As for SVG",
    why="The coordinates of each point are in the file.",
    remedy="Save a binned or smoothed figure as PNG.",
)
LOCKED = rule("pdf.locked", "blocks", "A locked PDF", source="Fail closed", why="It cannot be checked.", remedy="Save it without a password.")  # fmt: skip


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in a PDF."""
    if subject.kind != "pdf":
        return
    data, where = subject.data, subject.name
    endings = [match.end() for match in re.finditer(rb"%%EOF", data)]
    if len(endings) > 1 and b"/Linearized" not in data[:2000]:
        yield REVISIONS.found(where, f"The file was saved {len(endings)} times and keeps each version.")
    if not endings:
        yield REVISIONS.found(where, "The file has no end mark.")
    elif data[endings[-1] :].strip():
        yield ORPHANS.found(
            where, f"{many(len(data) - endings[-1], 'byte follows', 'bytes follow')} the end of the file."
        )
    if not data.startswith(b"%PDF-"):
        yield ORPHANS.found(where, "Bytes stand before the file.")
    if len(re.findall(rb"^%[^%\n\r]{40,}", data, re.MULTILINE)) and re.search(rb"\n%[ -$&-~]{60,}[\r\n]", data):
        yield METADATA.found(where, "There are long comments between the objects.")
    try:
        pdf = pikepdf.open(BytesIO(data), attempt_recovery=False, suppress_warnings=True)
    except pikepdf.PasswordError:
        yield LOCKED.found(where, "The file asks for a password.")
        return
    except pikepdf.PdfError as error:
        raise ValueError(f"the PDF cannot be read: {error}") from error
    with pdf:
        try:
            yield from _catalog(where, pdf)
            yield from _objects(where, pdf)
            for number, page in enumerate(pdf.pages, 1):
                yield from _page(f"page {number}", page)
        except Exception as error:  # an object is of another type than its place asks for, or cannot be unpacked
            raise ValueError(f"the PDF is not built as programs build it: {error}") from error


def _catalog(where: str, pdf: pikepdf.Pdf) -> Iterator[Finding]:
    root = pdf.Root
    if len(pdf.attachments) or "/AF" in root or "/Collection" in root:
        yield ATTACHMENT.found(where, f"{many(len(pdf.attachments), 'file is', 'files are')} attached.")
    names: Any = root.get("/Names", {})
    if "/OpenAction" in root or "/AA" in root or "/AcroForm" in root or "/JavaScript" in names:
        yield ACTIVE.found(where, "The file has scripts, forms or actions.")
    if "/OCProperties" in root:
        yield LAYERS.found(where, "The file has layers that can be switched off.")
    usual = {
        "/Title": 120,
        "/Author": 80,
        "/Producer": 120,
        "/Creator": 160,
        "/CreationDate": 40,
        "/ModDate": 40,
        "/Trapped": 10,
        "/PTEX.Fullbanner": 160,
    }
    for key, value in pdf.docinfo.items() if "/Info" in pdf.trailer else ():
        text = str(value)
        if len(text) > usual.get(str(key), 0):
            yield METADATA.found(where, f"The property {key} holds {len(text)} characters.")
    if "/Metadata" in root and len(root.Metadata.read_bytes().strip()) > 3000:
        yield METADATA.found(where, "The metadata stream is long.")
    if "/PieceInfo" in root or "/Perms" in root:
        yield METADATA.found(where, "The file holds private data of a program.")


def _objects(where: str, pdf: pikepdf.Pdf) -> Iterator[Finding]:
    reached: set[tuple[int, int]] = set()
    stack: list[Any] = [pdf.trailer]
    while stack and len(reached) < 200_000:
        item = stack.pop()
        if not isinstance(item, pikepdf.Object):
            continue
        if item.is_indirect:
            if item.objgen in reached:
                continue
            reached.add(item.objgen)
        kind = item._type_name  # noqa: SLF001 - the only name of a type that pikepdf gives
        if kind == "array":
            stack += [v for v in item if isinstance(v, pikepdf.Object)]
        elif kind in ("dictionary", "stream"):
            stack += [v for _, v in item.items() if isinstance(v, pikepdf.Object)]
    spare = [
        o for o in pdf.objects
        if isinstance(o, pikepdf.Object) and o.is_indirect and o.objgen not in reached and o._type_name != "null"  # noqa: SLF001
        and not (o._type_name == "stream" and str(o.get("/Type", "")) in ("/XRef", "/ObjStm"))  # noqa: SLF001
    ]  # fmt: skip
    big = [o for o in spare if o._type_name in ("stream", "string") or len(repr(o)) > 200]  # noqa: SLF001
    if big:
        yield ORPHANS.found(where, f"{many(len(big), 'object belongs', 'objects belong')} to no page.")


def _page(where: str, page: pikepdf.Page) -> Iterator[Finding]:
    if "/Annots" in page and len(page.Annots):
        kinds = {str(a.get("/Subtype", "?")) for a in page.Annots}
        if kinds - {"/Link"}:
            yield ACTIVE.found(where, f"Annotations on the page: {', '.join(sorted(kinds))}.")
    if "/AA" in page or "/PieceInfo" in page or "/AF" in page:
        yield ACTIVE.found(where, "The page has actions or private data.")
    contents = page.Contents if "/Contents" in page else None
    if contents is None:
        return
    streams = list(contents) if contents._type_name == "array" else [contents]  # noqa: SLF001
    body = b"\n".join(stream.read_bytes() for stream in streams)[: 32 * 1024**2]
    if re.search(rb"(?<![\d.])[37]\s+Tr\b", body):
        yield LAYERS.found(where, "Text is drawn invisible on this page.")
    sizes = re.findall(rb"/[\w.+-]+\s+([\d.]+)\s+Tf", body)
    if any(float(size) < 0.9 for size in sizes if size.count(b".") <= 1 and size != b".") and not re.search(
        rb"\bTm\b", body
    ):
        yield LAYERS.found(where, "Text is drawn too small to see on this page.")
    if re.search(
        rb"BT[^E]*?(?<![\d.])-\d{3,}(?:\.\d+)?\s+-?\d+(?:\.\d+)?\s+Td|BT[^E]*?(?<![\d.])\d{5,}(?:\.\d+)?\s", body
    ):
        yield LAYERS.found(where, "Text is drawn outside the page.")
    marks: dict[bytes, int] = {}
    for name in re.findall(rb"/(\w+)\s+Do\b", body):
        marks[name] = marks.get(name, 0) + 1
    groups = [n for name, n in marks.items() if not name.startswith((b"F", b"DejaVu", b"I"))]
    if max(groups, default=0) > 40:
        yield SCATTER.found(
            where,
            f"{max(groups)} marks are drawn one by one, each with its exact place.",
            severity="blocks" if max(groups) > 200 else None,
        )
