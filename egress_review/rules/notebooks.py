"""Hiding places in notebooks: what JupyterLab does not show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from egress_review import json_shapes, kinds
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule
from egress_review.tables import notebook_outputs

ATTACHMENTS = rule(
    "notebook.attachments",
    "blocks",
    "Attachments of cells",
    source="nbformat 4.1",
    why="A cell can carry files that nothing shows.",
    remedy="Remove the attachments (Edit → Attachments), or clear them with nbformat.",
)
METADATA = rule(
    "notebook.metadata",
    "blocks",
    "Unusual metadata",
    source="nbformat: metadata is free",
    why="Metadata of the notebook, a cell or an output is shown nowhere and may hold anything.",
    remedy="Save the notebook with only the usual metadata: kernelspec, language_info, and tags.",
)
WIDGETS = rule(
    "notebook.widgets",
    "blocks",
    "Widget state",
    source="ipywidgets: state is saved in the notebook",
    why="The state of widgets keeps the data behind them.",
    remedy="Settings → Save Widget State off; clear and save.",
)
DUPLICATE = rule(
    "notebook.duplicate-keys",
    "blocks",
    "A key twice in one object",
    source="RFC 8259, section 4",
    why="Readers take one of the two; the other is unseen.",
    remedy="Save the file again from JupyterLab.",
)
OUTPUTS = rule(
    "notebook.outputs",
    "blocks",
    "Outputs that run or hide",
    source="nbformat: MIME bundles",
    why="JavaScript, hidden or unknown output types hold data that the page does not show.",
    remedy="Clear those outputs and show a table or a PNG.",
)
COLLAPSED = rule(
    "notebook.hidden",
    "warns",
    "Hidden cells or outputs",
    source="JupyterLab: source_hidden, outputs_hidden",
    why="A collapsed output is in the file and not on the screen.",
    remedy="Expand or clear it.",
)
BUNDLES = rule("notebook.bundles", "blocks", "Forms of an output that disagree", source="nbformat: MIME bundles",
    why="An output's text form can hold other values than the form on the screen.", remedy="Run the cell again and save.")  # fmt: skip

_NOTEBOOK_KEYS = {
    "kernelspec",
    "language_info",
    "toc-autonumbering",
    "toc-showcode",
    "toc-showmarkdowntxt",
    "toc-showtags",
    "orig_nbformat",
    "title",
    "authors",
}
_CELL_KEYS = {
    "tags",
    "collapsed",
    "scrolled",
    "jupyter",
    "trusted",
    "editable",
    "slideshow",
    "execution",
    "id",
    "deletable",
    "name",
    "ExecuteTime",
}
_SEEN = {
    "text/plain",
    "text/html",
    "image/png",
    "image/jpeg",
    "image/svg+xml",
    "text/markdown",
    "text/latex",
    "application/json",
}


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in a notebook, and double keys in any JSON."""
    if subject.kind not in ("notebook", "json"):
        return
    decoded = kinds.decode(subject.data)
    if decoded is None:
        return
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in items]
        twice.extend({name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ())
        return dict(items)

    try:
        value = json.loads(decoded[0], object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return  # the reader of tables says so
    if twice:
        yield DUPLICATE.found(
            subject.name, f"Keys that stand twice in one object: {', '.join(sorted(set(twice))[:5])}."
        )
    if subject.kind == "notebook":
        yield from _notebook(json_shapes.notebook(value))


def _notebook(notebook: dict[str, Any]) -> Iterator[Finding]:
    extra = set(notebook) - {"cells", "metadata", "nbformat", "nbformat_minor"}
    if extra:
        yield METADATA.found("notebook", f"Unknown keys beside the cells: {', '.join(sorted(extra)[:5])}.")
    metadata = notebook.get("metadata", {})
    if isinstance(metadata, dict):
        if "widgets" in metadata:
            yield WIDGETS.found("notebook", "The state of widgets is saved in the notebook.")
        odd = set(metadata) - _NOTEBOOK_KEYS - {"widgets"}
        if odd or len(json.dumps(metadata)) > 4000 or _long_value(metadata):
            yield METADATA.found(
                "notebook", f"Metadata that is not usual: {', '.join(sorted(odd)[:5]) or 'very long values'}."
            )
    for number, cell in enumerate(notebook.get("cells", []), 1):
        if isinstance(cell, dict):
            yield from _cell(f"cell {number}", cell)
    yield from _outputs(notebook)


def _long_value(value: Any) -> bool:
    if isinstance(value, dict):
        return any(len(str(key)) > 60 or _long_value(item) for key, item in value.items())
    if isinstance(value, list):
        return len(value) > 50 or any(_long_value(item) for item in value)
    return len(str(value)) > 120


def _count(value: Any) -> int:
    return len(value) if isinstance(value, dict | list) else 1


def _cell(where: str, cell: dict[str, Any]) -> Iterator[Finding]:
    if cell.get("attachments"):
        yield ATTACHMENTS.found(
            where, f"{many(_count(cell['attachments']), 'file is', 'files are')} attached to this cell."
        )
    extra = set(cell) - {"cell_type", "source", "metadata", "outputs", "execution_count", "id", "attachments"}
    if extra:
        yield METADATA.found(where, f"Unknown keys: {', '.join(sorted(extra)[:5])}.")
    metadata = cell.get("metadata", {})
    if isinstance(metadata, dict):
        odd = set(metadata) - _CELL_KEYS
        if (
            odd
            or len(json.dumps(metadata)) > 1500
            or _long_value({k: v for k, v in metadata.items() if k != "execution"})
        ):
            yield METADATA.found(where, f"Metadata that is not usual: {', '.join(sorted(odd)[:5]) or 'long values'}.")
        hidden = metadata.get("jupyter", {})
        if (
            metadata.get("collapsed") is True
            or (isinstance(hidden, dict) and (hidden.get("outputs_hidden") or hidden.get("source_hidden")))
        ) and (cell.get("outputs") or (isinstance(hidden, dict) and hidden.get("source_hidden"))):
            yield COLLAPSED.found(where, "The output or the source of this cell is hidden.")
    if not re.fullmatch(r"[a-zA-Z0-9_-]{0,64}", str(cell.get("id", ""))):
        yield METADATA.found(where, "The cell's id is none that JupyterLab makes.")
    count = cell.get("execution_count")
    if count is not None and (not isinstance(count, int) or count > 100_000 or count < 0):
        yield METADATA.found(where, "The cell's execution count is no count.")
    for output in cell.get("outputs") or []:
        if isinstance(output, dict):
            extra = set(output) - {
                "output_type",
                "data",
                "metadata",
                "execution_count",
                "name",
                "text",
                "ename",
                "evalue",
                "traceback",
            }
            inner = output.get("metadata", {})
            if extra or (
                isinstance(inner, dict)
                and (
                    _long_value(inner)
                    or set(inner) - {"needs_background", "image/png", "image/jpeg", "isolated", "width", "height"}
                )
            ):
                yield METADATA.found(where, "An output has metadata that is not usual.")


def _outputs(notebook: dict[str, Any]) -> Iterator[Finding]:
    by_place: dict[str, dict[str, str]] = {}
    for where, media, text in notebook_outputs(notebook):
        if media == "application/vnd.jupyter.widget-view+json":
            yield WIDGETS.found(where, "The output is a widget.")
        elif media not in _SEEN or media == "application/json":
            yield OUTPUTS.found(where, f"An output of type {media[:60]}, which a page does not show.")
        elif (
            media == "text/html"
            and isinstance(text, str)
            and re.search(r"<script|javascript:|<iframe|<object|<embed", text, re.IGNORECASE)
        ):
            yield OUTPUTS.found(where, "The output's HTML runs scripts or loads other pages.")
        if isinstance(text, str):
            by_place.setdefault(where, {})[media] = text
    for where, forms in by_place.items():
        html, plain = forms.get("text/html"), forms.get("text/plain")
        image = forms.get("image/png") or forms.get("image/jpeg") or forms.get("image/svg+xml")
        if image and plain and len(plain) > 400 and "image/png" in forms and not html:
            yield BUNDLES.found(where, "Beside the image stands a long text that is not shown.")
        if html and plain and len(plain) > 60 and _differs(html, plain):
            yield BUNDLES.found(where, "The text form of this output has numbers that its HTML form lacks.")


def _differs(html: str, plain: str) -> bool:
    shown = set(re.findall(r"\d+\.?\d*", re.sub(r"<style.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL)))
    kept = re.findall(r"\d+\.?\d*", plain)
    missing = [number for number in kept if number not in shown and not any(s.startswith(number) for s in shown)]
    return len(missing) > 10 and len(missing) > 0.3 * len(kept)
