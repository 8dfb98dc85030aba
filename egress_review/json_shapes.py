"""What a JSON value from an untrusted file has to look like before anything walks through it. Pure functions."""

from __future__ import annotations

from typing import Any

MAX_DEPTH = 200  # a value that is nested deeper is no result, and deeper than readers can follow


def check_depth(value: Any) -> None:
    """Raises ValueError for a value that is nested more than MAX_DEPTH deep."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise ValueError(f"it is nested more than {MAX_DEPTH} deep")


def notebook(value: Any) -> dict[str, Any]:
    """A notebook: cells and their outputs are lists of objects; raises ValueError for what is none."""
    cells = value.get("cells") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(cells, list):
        raise ValueError("it is no notebook: it has no list of cells")  # noqa: TRY004 - of the file, not of our code
    check_depth(value)
    for number, cell in enumerate(cells, 1):
        outputs = (cell.get("outputs") or []) if isinstance(cell, dict) else None
        if not isinstance(outputs, list) or not all(isinstance(output, dict) for output in outputs):
            raise ValueError(f"it is no notebook: cell {number} is none, or has outputs that are none")
    return value
