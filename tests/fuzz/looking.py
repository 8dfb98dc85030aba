"""The sandboxed worker's own functions on one file, and what must hold of their answers."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import lxml.html
import polars as pl
from markdown_it import MarkdownIt

from access_control.settings import Profile
from egress_review import canonical_forms, kinds, previews, worker
from egress_review.findings import VERDICTS, FileResult, verdict_of
from egress_review.source_index import write_index
from tests.fuzz.contract import holds
from tests.fuzz.inert import as_a_browser_reads

ALLOWED_TAGS = canonical_forms._TAGS | {"html", "head", "body", "meta", "title"}
# These may come out otherwise the second time: pictures of a PDF are drawn from a picture.
UNSTABLE = {"pdf", "svg", "jpeg"}
_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_kept: list[tempfile.TemporaryDirectory[str]] = []  # until this process ends
_PROFILE = Profile().model_dump()


@functools.cache
def prepared() -> Any:
    """What a worker opens before it shuts itself in: the index of a small dataset, so that the search for its rows runs."""
    worker.preload()
    _kept.append(tempfile.TemporaryDirectory(prefix="fuzz-"))
    folder = Path(_kept[0].name)
    numbers = range(400)
    frame = pl.DataFrame({
        "id": list(numbers), "age": [18 + n * 7 % 70 for n in numbers], "income": [10000.5 + n * 37.25 for n in numbers],
        "born": [f"19{40 + n % 60}-0{1 + n % 9}-1{n % 10}" for n in numbers], "town": [f"town {n % 13}" for n in numbers],
    })  # fmt: skip
    frame.write_parquet(folder / "people.parquet")
    index = write_index(folder / "people.parquet", folder / "index", b"0123456789abcdef", "people", 1)
    return worker.prepare({"indexes": [str(index)]})


def checked(name: str, data: bytes, **task: Any) -> dict[str, Any]:
    """What the worker answers to a check. Whatever it raises, and a rule that breaks off, breaks the promise: the person
    would read 'the check broke off' in place of what is wrong.
    """
    given = {"name": name, "profile": _PROFILE, "peers": [], "disk": {}, "claims": {}, "right": []} | task
    answer = worker.check(given, data, prepared())
    said = json.loads(json.dumps(answer))
    result = FileResult.from_dict({"path": name, **said})
    holds(
        result.verdict in VERDICTS and result.verdict == verdict_of(result.findings),
        "the verdict is that of the findings",
    )
    holds(result.kind in kinds.KINDS, "the kind is known")
    broken = [finding.message for finding in result.findings if finding.rule == "check.crash"]
    holds(not broken, f"a rule breaks off: {broken[:1]}")
    holds(kinds.KINDS[result.kind].may_leave or result.verdict == "block", f"a {result.kind} may not leave")
    shown(data, result.kind)
    written = rewritten(data, result.kind)
    holds(written is not None or result.verdict != "pass", f"a {result.kind} passes that cannot be rewritten")
    return answer


def shown(data: bytes, kind: str) -> None:
    """The preview: plain values and pictures of ours, and never an error."""
    values, images = previews.make(data, kind)
    json.dumps(values).encode()
    holds(set(values) == {"tables", "text", "note"}, "the preview has its parts")
    holds(all(image.startswith(b"\x89PNG\r\n\x1a\n") for image in images), "the preview's pictures are PNG")
    holds(
        len(images) <= previews.MAX_IMAGES and len(values["tables"]) <= previews.MAX_TABLES,
        "the preview is cut to size",
    )


def rewritten(data: bytes, kind: str) -> bytes | None:
    """The canonical form where there is one: inert, and the same when it is written again."""
    try:
        once = canonical_forms.rewrite_bytes(data, kind)
    except ValueError:
        return None
    if once is None:
        return None
    leaves = {"svg": "png", "jpeg": "png"}.get(kind, kind)
    if leaves in ("png", "pdf", "xlsx", "parquet", "feather"):
        holds(kinds.tell("x", once) == leaves, f"a canonical {kind} is a {leaves}")
    holds(b"\x00" not in once or leaves not in ("csv", "text", "json", "html", "notebook"), "text holds no NUL")
    if kind == "html":
        inert_html(once.decode())
    if kind == "notebook":
        inert_notebook(once)
    if kind not in UNSTABLE:
        again = canonical_forms.rewrite_bytes(once, leaves)
        holds(again == once, f"a canonical {kind} is the same when it is written again")
    return once


def inert_html(page: str) -> None:
    """Only elements for text and tables, no attribute but spans."""
    for element in lxml.html.fromstring(page.encode()).iter():
        if not isinstance(element.tag, str):
            holds(False, "the page has a comment or an instruction")
        holds(element.tag in ALLOWED_TAGS, f"the page has the element {element.tag[:20]}")
        odd = set(element.attrib) - (
            {"colspan", "rowspan"} if element.tag in ("td", "th") else {"charset"} if element.tag == "meta" else set()
        )
        holds(not odd, f"the page has attributes on {element.tag[:20]}")


_ACTIVE = {
    "script",
    "iframe",
    "object",
    "embed",
    "svg",
    "math",
    "style",
    "link",
    "meta",
    "base",
    "form",
    "img",
    "video",
    "audio",
    "template",
}


def inert_markdown(text: str, where: str) -> None:
    """What a viewer makes of Markdown runs nothing."""
    html = _MARKDOWN.render(text)
    if "<" not in html:
        return
    tree = lxml.html.fromstring(f"<div>{html}</div>".encode("utf-8", "replace"))
    for element in tree.iter():
        if isinstance(element.tag, str):
            source = element.tag == "img" and set(element.attrib) <= {"src", "alt", "title"}  # Markdown's own pictures
            holds(source or element.tag.lower() not in _ACTIVE, f"{where} has a <{element.tag[:20]}>")
            holds(not any(name.lower().startswith("on") for name in element.attrib), f"{where} has a handler")
            address = as_a_browser_reads(str(element.get("href", "")) + str(element.get("src", "")))
            holds(
                not address.startswith(("javascript:", "vbscript:", "data:text")), f"{where} has an address that runs"
            )


def inert_notebook(data: bytes) -> None:
    """Cells and outputs of kinds that show, nothing beside them."""
    book = json.loads(data)
    holds(set(book) == {"cells", "metadata", "nbformat", "nbformat_minor"}, "the notebook has its parts")
    holds(book["metadata"] == {"language_info": {"name": "python"}}, "the notebook has no metadata")
    for cell in book["cells"]:
        holds(
            cell["metadata"] == {}
            and not set(cell) - {"cell_type", "id", "metadata", "source", "execution_count", "outputs"},
            "the cell is plain",
        )
        if cell["cell_type"] == "markdown":
            inert_markdown(cell["source"], "a cell")
        for output in cell.get("outputs", []):
            for media, value in output.get("data", {}).items():
                holds(media in ("image/png", "text/html", "text/plain", "text/markdown"), f"an output is {media[:30]}")
                if media == "text/html" and value.strip():
                    inert_html(f"<html><body>{value}</body></html>")
                if media == "text/markdown":
                    inert_markdown(value, "an output")
