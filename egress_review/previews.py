"""What a steward sees of a file: plain tables, plain text and re-encoded PNG; never active content."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import PIL.Image

from access_control.settings import Settings
from egress_review import sandbox, tables

MAX_ROWS, MAX_COLUMNS, MAX_TABLES, MAX_CELL = 200, 60, 20, 200
MAX_TEXT, MAX_IMAGES, MAX_SIDE = 60_000, 12, 1600


@dataclass(frozen=True)
class PreviewTable:
    """A table cut to size; `rows_total` counts all its rows. Cells are strings to be escaped by the page."""

    name: str
    header: list[str]
    rows: list[list[str]]
    rows_total: int


@dataclass(frozen=True)
class Preview:
    """What can be shown: tables, text (cut) and PNG images; `note` says why there is nothing when there is nothing."""

    kind: str
    tables: list[PreviewTable] = field(default_factory=list)
    text: str = ""
    images: list[bytes] = field(default_factory=list)
    note: str = ""


def preview(path: Path, kind: str, settings: Settings | None = None) -> Preview:
    """The preview of the file, made in the sandbox; a file that cannot be shown gives a note, not an error."""
    limits = sandbox.limits_of(settings or Settings(), answer_bytes=64 * 1024**2)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        answer = sandbox.run({"do": "preview", "kind": kind}, descriptor, limits)
    finally:
        os.close(descriptor)
    if answer.failure:
        return Preview(kind, note=f"This file cannot be shown: the preview broke off ({answer.failure}).")
    try:
        values = answer.values
        shown = [
            PreviewTable(
                str(t["name"]),
                [str(cell) for cell in t["header"]],
                [[str(cell) for cell in row] for row in t["rows"]],
                int(t["rows_total"]),
            )
            for t in values["tables"][:MAX_TABLES]
        ]
        images = [blob for blob in answer.blobs[:MAX_IMAGES] if blob.startswith(b"\x89PNG\r\n\x1a\n")]
        return Preview(kind, shown, str(values["text"])[:MAX_TEXT], images, str(values["note"])[:500])
    except (KeyError, TypeError, ValueError):
        return Preview(kind, note="This file cannot be shown: the preview made no sense.")


def make(data: bytes, kind: str) -> tuple[dict[str, Any], list[bytes]]:
    """The preview's parts, made in this process (the sandbox): JSON values and PNG images."""
    from egress_review import canonical_forms, kinds

    values: dict[str, Any] = {"tables": [], "text": "", "note": ""}
    images: list[bytes] = []
    try:
        if kind in ("png", "jpeg"):
            images.append(_small(PIL.Image.open(BytesIO(data))))
        elif kind == "svg":
            rewritten = canonical_forms.rewrite_bytes(data, "svg")
            images += [_small(PIL.Image.open(BytesIO(rewritten)))] if rewritten else []
        elif kind == "pdf":
            images = [_small(page) for page in canonical_forms.pdf_pages(data, 90, MAX_IMAGES)]
        elif kind in ("text", "json"):
            decoded = kinds.decode(data)
            values["text"] = canonical_forms.clean_text(decoded[0][: 2 * MAX_TEXT])[:MAX_TEXT] if decoded else ""
        elif kind == "notebook":
            _notebook(data, values, images)
        elif kind in ("csv", "xlsx", "parquet", "feather", "html"):
            values["tables"] = [_cut(table) for table in tables.extract_bytes(data, kind)[:MAX_TABLES]]
            if kind == "html":
                import lxml.html

                decoded = kinds.decode(data)
                page = lxml.html.fromstring(decoded[0]) if decoded else None
                values["text"] = canonical_forms.clean_text(page.text_content())[:MAX_TEXT] if page is not None else ""
        elif kind == "empty":
            values["note"] = "The file is empty."
        else:
            values["note"] = "A file of this type is not shown."
    except Exception as error:  # whatever a parser raises, the steward gets a note
        values["note"] = f"This file cannot be shown: {error}"[:500]
    return values, images


def _small(image: PIL.Image.Image) -> bytes:
    from egress_review.canonical_forms import _flatten

    flat = _flatten(image)
    flat.thumbnail((MAX_SIDE, MAX_SIDE))
    out = BytesIO()
    flat.save(out, "PNG")
    return out.getvalue()


def _cut(table: tables.Table) -> dict[str, Any]:
    columns = [table.texts(c).head(MAX_ROWS).fill_null("").to_list() for c in range(min(table.width, MAX_COLUMNS))]
    rows = [[str(column[row])[:MAX_CELL] for column in columns] for row in range(min(table.height, MAX_ROWS))]
    return {
        "name": table.where,
        "header": [name[:MAX_CELL] for name in table.header[:MAX_COLUMNS]],
        "rows": rows,
        "rows_total": table.height,
    }


def _notebook(data: bytes, values: dict[str, Any], images: list[bytes]) -> None:
    from egress_review import canonical_forms

    notebook = tables.load_notebook(data)
    parts: list[str] = []
    for number, cell in enumerate(notebook.get("cells", []), 1):
        source = cell.get("source", "")
        text = "".join(source) if isinstance(source, list) else str(source)
        parts.append(f"[{number}] {text}")
        for _, media, value in tables.notebook_outputs({"cells": [cell]}):
            if media in ("image/png", "image/jpeg") and len(images) < MAX_IMAGES and isinstance(value, str):
                images.append(_small(PIL.Image.open(BytesIO(base64.b64decode(value)))))
                parts.append(f"    (image {len(images)})")
            elif media == "text/plain" and isinstance(value, str):
                parts.append("    " + value.replace("\n", "\n    "))
    values["text"] = canonical_forms.clean_text("\n".join(parts))[:MAX_TEXT]
    values["tables"] = [_cut(table) for table in tables.from_notebook(notebook)[:MAX_TABLES]]
