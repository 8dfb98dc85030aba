"""The form of a notebook: keys, ids, counts and times that Jupyter would not have written."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from egress_review import kinds
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, rule
from egress_review.rules.channels import by_turns
from egress_review.rules.encodings import spells
from egress_review.tables import load_notebook

FORM = rule(
    "notebook.form",
    "blocks",
    "A notebook that Jupyter did not write",
    source="nbformat 4.5",
    why="Keys, types and splits that Jupyter never writes can carry data, and readers pass over them.",
    remedy="Open the notebook in JupyterLab and save it again.",
)
ORDER = rule("notebook.order", "warns", "Ids or counts that carry data", source="nbformat: ids and execution counts are free",
    why="They are chosen by whoever writes the file, and nobody reads them.",
    remedy="Restart the kernel, run all cells and save.")  # fmt: skip

_OUTPUTS = {"stream", "display_data", "execute_result", "error"}
_ID = re.compile(
    r"[0-9a-f]{8}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=.{1,32}$)[A-Za-z]+(?:[-_][A-Za-z0-9]{1,12})*\d{0,8}|[A-Za-z0-9_-]{11,12}|"
)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?|\d+(?:\.\d+)? ?m?s")


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in the form of a notebook."""
    if subject.kind != "notebook" or kinds.decode(subject.data) is None:
        return
    book = load_notebook(subject.data)
    minor, major = book.get("nbformat_minor", 0), book.get("nbformat")
    if major not in (3, 4) or not isinstance(minor, int) or not 0 <= minor <= 20:
        yield FORM.found(subject.name, "The version of the format is none that there is.")
    metadata = book.get("metadata")
    if isinstance(metadata, dict):
        yield from _metadata(subject.name, metadata)
    cells = [cell for cell in book.get("cells", []) if isinstance(cell, dict)]
    for number, cell in enumerate(cells, 1):
        yield from _cell(f"cell {number}", cell)
    yield from _counts(subject.name, cells)
    yield from _times(subject.name, cells)


def _metadata(where: str, metadata: dict[str, Any]) -> Iterator[Finding]:
    title, authors = metadata.get("title", ""), metadata.get("authors", [])
    names = (
        [str(a.get("name", "")) if isinstance(a, dict) else str(a) for a in authors]
        if isinstance(authors, list)
        else ["?" * 99]
    )
    if len(str(title)) > 120 or len(names) > 12 or any(len(name) > 60 or re.search(r"\d", name) for name in names):
        yield FORM.found(where, "The authors or the title in the metadata hold more than names.")


def _cell(where: str, cell: dict[str, Any]) -> Iterator[Finding]:
    if cell.get("cell_type") not in ("code", "markdown", "raw"):
        yield FORM.found(where, f"There is no type of cell {str(cell.get('cell_type'))[:30]!r}.")
    if not _ID.fullmatch(str(cell.get("id", ""))):
        yield ORDER.found(where, "The cell's id is none that JupyterLab makes.")
    yield from _split(where, cell.get("source"))
    inner = cell.get("metadata")
    tags = inner.get("tags", []) if isinstance(inner, dict) else []
    if (
        not isinstance(tags, list)
        or len(tags) > 12
        or not all(
            re.fullmatch(r"[A-Za-z][\w:. -]{0,40}", str(tag)) and not re.search(r"\d{3}", str(tag)) for tag in tags
        )
    ):
        yield FORM.found(where, "The tags of the cell are no tags.")
    for output in cell.get("outputs") or []:
        if not isinstance(output, dict):
            continue
        kind = output.get("output_type")
        if kind not in _OUTPUTS or (kind == "stream" and output.get("name") not in ("stdout", "stderr")):
            yield FORM.found(where, f"There is no output of type {str(kind)[:20]!r} under this name.")
        yield from _split(where, output.get("text"))
        data = output.get("data")
        for media, value in data.items() if isinstance(data, dict) else ():
            if media in ("image/png", "image/jpeg"):
                yield from _base64(where, value)
            else:
                yield from _split(where, value)


def _split(where: str, lines: Any) -> Iterator[Finding]:
    """Jupyter splits a text behind each line end and nowhere else."""
    if (
        isinstance(lines, list)
        and len(lines) > 8
        and sum(not str(line).endswith("\n") for line in lines[:-1]) > 0.2 * len(lines)
    ):
        yield FORM.found(where, "A text is split into pieces that are no lines.")


def _base64(where: str, value: Any) -> Iterator[Finding]:
    text = "".join(map(str, value)) if isinstance(value, list) else str(value)
    lines = text.rstrip("\n").split("\n")
    if len({len(line) for line in lines[:-1]}) > 1 or not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", "".join(lines)):
        yield FORM.found(where, "The image is not written as Jupyter writes images.")


def _counts(where: str, cells: list[dict[str, Any]]) -> Iterator[Finding]:
    counts = [cell.get("execution_count") for cell in cells if cell.get("cell_type") == "code"]
    known = [count for count in counts if isinstance(count, int) and not isinstance(count, bool)]
    if len(known) < 16 or len(set(known)) < 4:
        return
    falls = sum(b <= a for a, b in itertools.pairwise(known))
    if len(set(known)) < 0.8 * len(known) or falls > 0.4 * len(known):
        yield ORDER.found(where, "The execution counts repeat or are in no order: no kernel counts like that.")


def _times(where: str, cells: list[dict[str, Any]]) -> Iterator[Finding]:
    moments: list[str] = []
    for cell in cells:
        inner = cell.get("metadata")
        for key in ("execution", "ExecuteTime"):
            times = inner.get(key) if isinstance(inner, dict) else None
            for value in times.values() if isinstance(times, dict) else ():
                if not _TIME.fullmatch(str(value)):
                    yield FORM.found(where, "A time in the metadata is none.")
                    return
                moments.append(str(value))
    fractions = [match[1] for moment in moments if (match := re.search(r"[.,](\d{3})\d{3}", moment))]
    if len(fractions) >= 24 and len(set(fractions)) > 8 and (all(int(f) < 256 for f in fractions) or spells(fractions)):
        yield ORDER.found(where, "The fractions of the times stay below 256, as bytes do.")
    if by_turns([moment > other for moment, other in itertools.pairwise(moments)]) and len(set(moments)) < 0.5 * len(
        moments
    ):
        yield ORDER.found(where, "The times of the cells are in no order.")
