"""The tables in a JSON value: lists of objects, of lists and of numbers, and objects of equal lists."""

from __future__ import annotations

import json
from typing import Any

from egress_review import json_shapes, kinds
from egress_review.table import Table, from_rows

MAX_TABLES = 200


def load_json(data: bytes) -> Any:
    """A JSON value, or a list of those of a file of JSON lines; raises ValueError."""
    decoded = kinds.decode(data)
    if decoded is None:
        raise ValueError("it is no text")
    try:
        value = _json_or_lines(decoded[0])
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if decoded[0].count("[") + decoded[0].count("{") > json_shapes.MAX_DEPTH:
        json_shapes.check_depth(value)
    return value


def _json_or_lines(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [json.loads(line) for line in lines]


def load_notebook(data: bytes) -> dict[str, Any]:
    """A notebook's JSON value; raises ValueError when it has not the shape of one."""
    return json_shapes.notebook(load_json(data))


def from_json(where: str, value: Any, depth: int = 0) -> list[Table]:
    """Every list of objects, list of lists and object of equal lists below a JSON value."""
    found: list[Table] = []
    if depth > 12 or len(found) > MAX_TABLES:
        return found
    if isinstance(value, list):
        if len(value) > 1 and all(isinstance(item, dict) for item in value):
            names = list(dict.fromkeys(name for item in value[:1000] for name in item))
            if names and not all(isinstance(item.get(name), dict | list) for item in value[:20] for name in names):
                rows = [names] + [[_scalar(item.get(name)) for name in names] for item in value]
                table = from_rows(where, rows, header=True)
                found += [table] if table else []
        elif len(value) > 1 and all(isinstance(item, list) for item in value):
            table = from_rows(where, [[_scalar(cell) for cell in item] for item in value])
            found += [table] if table else []
        elif len(value) > 1 and all(not isinstance(item, dict | list) for item in value):
            table = from_rows(where, [[where.rsplit(".", 1)[-1]]] + [[_scalar(item)] for item in value], header=True)
            found += [table] if table else []
        for place, item in enumerate(value[:2000]):
            if isinstance(item, dict) or (
                isinstance(item, list) and any(isinstance(cell, dict | list) for cell in item)
            ):
                found += from_json(f"{where}[{place}]", item, depth + 1)
            if len(found) > MAX_TABLES:
                break
    elif isinstance(value, dict):
        found += _from_object(where, value, depth)
    return found[:MAX_TABLES]


def _scalar(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value)
    return json.dumps(value) if isinstance(value, dict | list) else value


def _from_object(where: str, value: dict[str, Any], depth: int) -> list[Table]:
    found: list[Table] = []
    inner = list(value.values())
    if (
        len(inner) > 1
        and all(isinstance(item, list) for item in inner)
        and len({len(item) for item in inner}) == 1
        and inner[0]
    ):
        names = list(value)
        rows = [names] + [[_scalar(column[i]) for column in inner] for i in range(len(inner[0]))]
        table = from_rows(where, rows, header=True)
        return [table] if table else []
    if len(inner) > 1 and all(isinstance(item, dict) and item for item in inner):
        keys = list(dict.fromkeys(key for item in inner for key in item))
        if sum(len(item) for item in inner) > 0.8 * len(keys) * len(inner) and not any(
            isinstance(cell, dict | list) for item in inner for cell in item.values()
        ):
            rows = [["", *keys]] + [[name, *[_scalar(item.get(key)) for key in keys]] for name, item in value.items()]
            table = from_rows(where, rows, header=True)
            return [table] if table else []
    scalars = [(name, item) for name, item in value.items() if not isinstance(item, dict | list)]
    if scalars:
        table = from_rows(where, [["name", "value"]] + [[name, _scalar(item)] for name, item in scalars], header=True)
        if table:
            table.notes["pairs"] = True
            found.append(table)
    for name, item in value.items():
        if isinstance(item, dict | list):
            found += from_json(f"{where}.{name}", item, depth + 1)
    return found
