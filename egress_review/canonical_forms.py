"""The canonical rewrite of a file: what leaves instead of the original, values only.

The same input gives the same bytes, so the hash of what leaves can be signed before it leaves.
"""

from __future__ import annotations

import base64
import csv
import json
import os
import re
import time
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path, PurePosixPath
from typing import Any

import nh3
import numpy as np
import PIL.Image
import polars as pl
import pyarrow as pa

from access_control.settings import Settings
from egress_review import kinds, sandbox, tables

_MEDIA = {
    "csv": "text/csv", "text": "text/plain", "json": "application/json", "notebook": "application/x-ipynb+json", "html": "text/html",
    "svg": "image/png", "png": "image/png", "jpeg": "image/png", "pdf": "application/pdf", "empty": "text/plain",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "parquet": "application/vnd.apache.parquet",
    "feather": "application/vnd.apache.arrow.file",
}  # fmt: skip
_TIMES = 5  # a text is written again until it stays; honest ones do at once
_EPOCH = (1980, 1, 1, 0, 0, 0)
_TAGS = {"table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "ul", "ol", "li", "dl", "dt",
         "dd", "pre", "code", "b", "i", "em", "strong", "sub", "sup", "blockquote", "div", "span", "section", "article", "main", "header", "footer"}  # fmt: skip
# What stands in these is no text of the page.
_NOT_SHOWN = {"script", "style", "template", "noscript", "svg", "math", "title", "textarea", "iframe", "object"}
PDF_DPI, SVG_ZOOM, MAX_PAGES = 150, 1.5, 100


def rewrite(path: Path, kind: str, settings: Settings | None = None) -> bytes | None:
    """The canonical bytes of the file of this `kind` (FileResult.kind), written in the sandbox; None: no such form, it cannot leave.

    PNG and JPEG come back as PNG, PDF as a PDF of images, SVG as PNG, others as their own kind; `media_type(kind)` tells.
    """
    if kind not in _MEDIA:
        return None
    limits = sandbox.limits_of(settings or Settings(), answer_bytes=512 * 1024**2)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        answer = sandbox.run({"do": "rewrite", "kind": kind}, descriptor, limits)
    finally:
        os.close(descriptor)
    if answer.failure or answer.values.get("rewritten") is not True or len(answer.blobs) != 1:
        return None
    return answer.blobs[0]


def released_name(name: str, kind: str) -> str:
    """The name under which the canonical form of a file leaves: `fig.svg` leaves as `fig.png`."""
    return str(PurePosixPath(name).with_suffix(".png")) if kind in ("svg", "jpeg") else name


def media_type(kind: str) -> str:
    """The media type of the canonical form of this kind; `application/octet-stream` for a kind that has none."""
    return _MEDIA.get(kind, "application/octet-stream")


def rewrite_bytes(data: bytes, kind: str) -> bytes | None:
    """The canonical form, made in this process; raises ValueError for broken bytes."""
    makers = {
        "csv": _csv, "text": _text, "json": _json, "notebook": _notebook, "html": _html, "svg": _svg, "png": image_bytes, "jpeg": image_bytes,
        "pdf": _pdf, "xlsx": _xlsx, "parquet": _parquet, "feather": _feather,
    }  # fmt: skip
    if kind == "empty":
        return b""
    maker = makers.get(kind)
    return maker(data) if maker else None


def clean_text(text: str) -> str:
    """Printable characters, single kinds of space and line end, nothing at line ends."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", text)
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if character in "\n\t":
            kept.append(character)
        elif category == "Zs":
            kept.append(" ")
        elif (
            category not in ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp")
            and not 0xFE00 <= ord(character) <= 0xFE0F
            and ord(character) not in (0x3164, 0x2800, 0x115F, 0x1160, 0xFFA0, 0x34F)
        ):
            kept.append(character)
    return "\n".join(line.rstrip() for line in "".join(kept).split("\n"))


def _decoded(data: bytes) -> str:
    decoded = kinds.decode(data)
    if decoded is None:
        raise ValueError("it is no text")
    return decoded[0]


def _text(data: bytes) -> bytes:
    return (clean_text(_decoded(data)).rstrip("\n") + "\n").encode()


_LONG_NUMBER = re.compile(r"^[-+]?\d*\.\d+(?:[eE][-+]?\d+)?$")


def _cell(text: str) -> str:
    text = clean_text(text).strip().replace("\n", " ")
    if _LONG_NUMBER.match(text) and len(re.sub(r"[-+.]|[eE].*", "", text).lstrip("0")) > 12:
        return f"{float(text):.12g}"
    return text


# What a spreadsheet would run: = and @ always, + and - when a call or the name of a cell follows.
_FORMULA = re.compile(r"[=@].|[-+](?=.*(?:[|!]|[A-Za-z_.]+\(|(?<![\d.])\$?[A-Za-z]{1,3}\$?\d))", re.DOTALL)


def _value_cell(text: str) -> str:
    """A cell that every spreadsheet reads as a value: one that begins as a formula is marked as text."""
    text = _cell(text)
    return "'" + text if _FORMULA.match(text) else text


def _settled(text: str, write: Callable[[str], str]) -> str:
    """What `write` makes of the text, and again of that, until nothing changes: who reads it sees what was reviewed.

    Raises ValueError for a text that is another each time it is read.
    """
    for _ in range(_TIMES):
        again = write(text)
        if again == text:
            return again
        text = again
    raise ValueError("it reads otherwise each time it is written; write it more plainly")


def _csv(data: bytes) -> bytes:
    text = _decoded(data)
    separator = tables.separator_of(text)
    out = StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    csv.field_size_limit(1 << 24)
    for row in csv.reader(StringIO(text.replace("\r\n", "\n").replace("\r", "\n")), delimiter=separator):
        writer.writerow([_value_cell(cell) for cell in row])
    if tables.separator_of(out.getvalue()) != separator:
        raise ValueError("which sign parts its columns cannot be told for sure; write it with commas")
    return out.getvalue().encode()


def _clean_json(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean_json(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(str(name)): _clean_json(item) for name, item in value.items()}
    if isinstance(value, float) and np.isfinite(value):
        return float(f"{value:.12g}")
    return value


def _json(data: bytes) -> bytes:
    def write(text: str) -> str:
        return json.dumps(_clean_json(tables.load_json(text.encode())), indent=1, ensure_ascii=False) + "\n"

    first = json.dumps(_clean_json(tables.load_json(data)), indent=1, ensure_ascii=False) + "\n"
    return _settled(first, write).encode()


def clean_html(markup: str) -> str:
    """Markup of text and tables alone, without attributes other than spans, which a browser reads as it stands.

    Raises ValueError for markup that is another each time it is read.
    """
    return _settled(markup, _clean_html)


def _clean_html(markup: str) -> str:
    return clean_text(
        nh3.clean(
            markup,
            tags=_TAGS,
            clean_content_tags=_NOT_SHOWN,
            attributes={"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
            strip_comments=True,
            link_rel=None,
        )
    )


def _html(data: bytes) -> bytes:
    body = clean_html(_decoded(data))
    return f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>Output</title></head><body>\n{body.strip()}\n</body></html>\n'.encode()


def _joined(value: Any) -> str:
    return "".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _output(output: dict[str, Any]) -> dict[str, Any] | None:
    kind = output.get("output_type")
    if kind == "stream":
        return {
            "output_type": "stream",
            "name": "stderr" if output.get("name") == "stderr" else "stdout",
            "text": clean_text(_joined(output.get("text", ""))),
        }
    if kind == "error":
        return {
            "output_type": "error",
            "ename": clean_text(str(output.get("ename", "")))[:200],
            "evalue": clean_text(str(output.get("evalue", "")))[:2000],
            "traceback": [],
        }
    data = output.get("data")
    if kind not in ("display_data", "execute_result") or not isinstance(data, dict):
        return None
    kept: dict[str, str] = {}
    image = data.get("image/png") or data.get("image/jpeg")
    if image:
        kept["image/png"] = base64.b64encode(image_bytes(base64.b64decode(_joined(image)))).decode()
    elif "image/svg+xml" in data:
        kept["image/png"] = base64.b64encode(_svg(_joined(data["image/svg+xml"]).encode())).decode()
    elif "text/html" in data:
        kept["text/html"] = clean_html(_joined(data["text/html"]))
    elif "text/markdown" in data:
        kept["text/markdown"] = _written(clean_text(_joined(data["text/markdown"])))
    elif "text/plain" in data:
        kept["text/plain"] = clean_text(_joined(data["text/plain"]))
    return {"output_type": "display_data", "data": kept, "metadata": {}} if kept else None


_ACTIVE_TAGS = {"script", "iframe", "frame", "frameset", "object", "embed", "svg", "math", "style", "link", "meta", "base", "form", "img", "image", "video", "audio",
                "template", "input", "button", "textarea", "title", "noscript", "plaintext", "xmp", "portal", "applet", "marquee", "html", "head", "body"}  # fmt: skip
_TAG = re.compile(r"<[!?/A-Za-z][^>]*>?")
_BARE_TAG = re.compile(r"</?([A-Za-z][\w.-]*)(?:\s+(?:colspan|rowspan)=\"?\d{1,4}\"?)*\s*/?>")
_AUTOLINK = re.compile(r"<(?:https?://|mailto:)[^\s<>\"']+>")


def _written(source: str) -> str:
    """The text of a cell that a viewer would take for HTML: shown as written unless every tag in it is bare and inert."""
    for tag in _TAG.findall(source):
        bare = _BARE_TAG.fullmatch(tag)
        if not _AUTOLINK.fullmatch(tag) and (bare is None or bare[1].lower() in _ACTIVE_TAGS):
            return source.replace("<", "&lt;")
    return source


def _notebook(data: bytes) -> bytes:
    value = tables.load_notebook(data)
    cells: list[dict[str, Any]] = []
    for cell in value["cells"]:
        kind = cell.get("cell_type")
        if kind not in ("code", "markdown", "raw"):
            continue
        made: dict[str, Any] = {
            "cell_type": kind,
            "id": f"cell-{len(cells) + 1}",
            "metadata": {},
            "source": clean_text(_joined(cell.get("source", ""))),
        }
        if kind != "code":
            made["source"] = _written(made["source"])
        else:
            outputs = [_output(output) for output in cell.get("outputs") or [] if isinstance(output, dict)]
            made |= {"execution_count": None, "outputs": [output for output in outputs if output]}
        cells.append(made)
    book = {"cells": cells, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(book, indent=1, ensure_ascii=False) + "\n").encode()


def _flatten(image: PIL.Image.Image) -> PIL.Image.Image:
    """Opaque RGB without the lowest bit, which nobody sees and which can carry data."""
    rgba = image.convert("RGBA")
    ground = PIL.Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    pixels = np.asarray(PIL.Image.alpha_composite(ground, rgba).convert("RGB"))
    pixels = np.where(pixels >= 254, 255, pixels & 0xFE).astype(np.uint8)
    return PIL.Image.fromarray(pixels)


def image_bytes(data: bytes) -> bytes:
    """A PNG of the pixels alone; raises ValueError for what is no image."""
    try:
        image = PIL.Image.open(BytesIO(data))
        image.load()
    except Exception as error:  # Pillow raises many kinds for broken images
        raise ValueError(f"the image cannot be read: {error}") from error
    out = BytesIO()
    _flatten(image).save(out, "PNG", optimize=False)
    return out.getvalue()


def _svg(data: bytes) -> bytes:
    import resvg_py

    text = re.sub(r"<!DOCTYPE[^>\[]*(?:\[[^\]]*\])?[^>]*>", "", _decoded(data))
    return image_bytes(bytes(resvg_py.svg_to_bytes(svg_string=text, background="#ffffff", zoom=SVG_ZOOM, dpi=96)))


def pdf_pages(data: bytes, dpi: int, most: int) -> list[PIL.Image.Image]:
    """Each page as an image; raises ValueError for a PDF that cannot be drawn."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        if len(document) > most:
            raise ValueError(f"it has {len(document)} pages, at most {most} can leave")
        return [_flatten(document[number].render(scale=dpi / 72).to_pil()) for number in range(len(document))]
    except pypdfium2.PdfiumError as error:
        raise ValueError(f"the PDF cannot be drawn: {error}") from error


def _pdf(data: bytes) -> bytes:
    pages = pdf_pages(data, PDF_DPI, MAX_PAGES)
    out = BytesIO()
    start = time.gmtime(0)
    pages[0].save(
        out,
        "PDF",
        save_all=True,
        append_images=pages[1:],
        resolution=PDF_DPI,
        creationDate=start,
        modDate=start,
        quality=92,
    )
    return out.getvalue()


def _xlsx(data: bytes) -> bytes:
    import openpyxl
    import python_calamine

    try:
        source = python_calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        book = openpyxl.Workbook(write_only=True)
        for sheet in source.sheets_metadata:
            if sheet.visible != python_calamine.SheetVisibleEnum.Visible:
                continue
            made = book.create_sheet(clean_text(sheet.name)[:31])
            for row in source.get_sheet_by_name(sheet.name).to_python():
                made.append([_xlsx_cell(cell) for cell in row])
    except python_calamine.CalamineError as error:
        raise ValueError(f"the workbook cannot be read: {error}") from error
    book.properties.creator = "enclave"
    book.properties.created = book.properties.modified = datetime(1980, 1, 1)  # noqa: DTZ001 - the format has no zone
    raw = BytesIO()
    book.save(raw)
    out = BytesIO()
    with zipfile.ZipFile(raw) as loose, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in sorted(loose.namelist()):
            part = loose.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>1980-01-01T00:00:00Z", part)
            fixed.writestr(zipfile.ZipInfo(name, _EPOCH), part, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _xlsx_cell(cell: Any) -> Any:
    if isinstance(cell, str):
        text = clean_text(cell)
        return (
            "'" + text if text[:1] in "=+-@" and not re.fullmatch(r"[-+]?[\d.,]+%?", text) and len(text) > 1 else text
        )
    return float(f"{cell:.12g}") if isinstance(cell, float) else cell


def _plain_table(data: bytes, kind: str) -> pa.Table:
    frame = tables.read_columnar(data, kind)
    columns = []
    for series in frame.get_columns():
        column = series.cast(pl.String) if series.dtype in (pl.Categorical, pl.Enum) else series
        if column.dtype in (pl.Float64, pl.Float32):
            column = column.round_sig_figs(12)
        if any(unicodedata.category(character)[0] == "C" for character in column.name):
            raise ValueError(f"the column {column.name[:60]!r} has a name that cannot be read")
        columns.append(column)
    try:
        return pl.DataFrame(columns).to_arrow().replace_schema_metadata(None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException) as error:
        raise ValueError(f"its columns cannot be written: {error}") from error


def _parquet(data: bytes) -> bytes:
    import pyarrow.parquet

    out = BytesIO()
    pyarrow.parquet.write_table(
        _plain_table(data, "parquet"), out, write_statistics=False, store_schema=False, compression="zstd"
    )
    return out.getvalue()


def _feather(data: bytes) -> bytes:
    import pyarrow.feather

    out = BytesIO()
    pyarrow.feather.write_feather(_plain_table(data, "feather"), out, compression="lz4")
    return out.getvalue()
