"""The tables in pages: HTML, and the outputs of a notebook."""

from __future__ import annotations

import re
from typing import Any

from egress_review import json_tables, printed_tables
from egress_review.table import Table, from_rows

MAX_TABLES = 200


def from_html(where: str, markup: str) -> list[Table]:
    """Every <table> of a page, hidden ones too."""
    import lxml.html

    try:
        page = lxml.html.fromstring(markup)
    except (ValueError, lxml.etree.ParserError):
        return []
    found = []
    for place, element in enumerate(list(page.iter("table"))[:MAX_TABLES], 1):
        rows: list[list[Any]] = []
        for line in element.iter("tr"):
            row: list[Any] = []
            for cell in line:
                if cell.tag in ("td", "th"):
                    span = str(cell.get("colspan", "1"))
                    row += [cell.text_content().strip()] + [""] * (min(int(span), 100) - 1 if span.isdigit() else 0)
            rows.append(row)
        table = from_rows(f"{where}, table {place}", rows)
        if table:
            table.notes["printed"] = True
            found.append(table)
    return found


def notebook_outputs(notebook: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """(place, media type, text) of every output of every cell; streams and errors as text/plain."""
    found: list[tuple[str, str, Any]] = []
    for number, cell in enumerate(notebook.get("cells", []), 1):
        if not isinstance(cell, dict):
            continue
        for output in cell.get("outputs", []) or []:
            if not isinstance(output, dict):
                continue
            place = f"cell {number}"
            if "text" in output:
                found.append((place, "text/plain", _joined(output["text"])))
            if "traceback" in output:
                found.append((place, "text/plain", re.sub(r"\x1b\[[0-9;]*m", "", _joined(output["traceback"], "\n"))))
            data = output.get("data", {})
            if isinstance(data, dict):
                found += [
                    (
                        place,
                        str(media),
                        value if isinstance(value, dict | list) and media.endswith("json") else _joined(value),
                    )
                    for media, value in data.items()
                ]
    return found


def _joined(value: Any, glue: str = "") -> str:
    return glue.join(str(part) for part in value) if isinstance(value, list) else str(value)


def from_notebook(notebook: dict[str, Any]) -> list[Table]:
    """Tables of the outputs; of one output its HTML form, or else its text."""
    found: list[Table] = []
    outputs = notebook_outputs(notebook)
    with_html = {place for place, media, _ in outputs if media == "text/html"}
    for place, media, text in outputs:
        if media == "text/html":
            found += from_html(place, text)
        elif media == "text/plain" and not (place in with_html and "\n" in text and len(text) < 20_000):
            found += printed_tables.tables_in(place, text)
        elif media.endswith("json") and not isinstance(text, str):
            found += json_tables.from_json(place, text)
    return found[:MAX_TABLES]
