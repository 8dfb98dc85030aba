"""The tables in a JSON value: lists of objects, of lists and of numbers, and objects of equal lists."""

from __future__ import annotations

import json
import re
from typing import Any

from egress_review import json_shapes, kinds
from egress_review.table import Table, from_rows

MAX_TABLES = 200
_COUNTED = re.compile(
    r"(?:^|_)(?:n|counts?|sizes?|freq\w*|hist|histogram|tabulation|crosstab\w*|contingency\w*|confusion\w*|support|cases|deaths"
    r"|patients|people|at_risk|balance)(?:_|$)|value_counts",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"^(?:n|total|n_total|count|size|n_\w+|people|patients|participants|sample_size)$", re.IGNORECASE)


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


def from_json(where: str, value: Any, depth: int = 0, total: float | None = None) -> list[Table]:
    """Every list of objects, list of lists and object of equal lists below a JSON value.

    `total` is the number of people that stands beside it, if one does: what adds up to it are counts.
    """
    found: list[Table] = []
    if depth > 12 or len(found) > MAX_TABLES:
        return found
    if isinstance(value, list):
        counted = bool(_COUNTED.search(where.rsplit(".", 1)[-1]))
        if len(value) > 1 and all(isinstance(item, dict) for item in value):
            value = [_flat(item) for item in value[:100_000]]
            names = list(dict.fromkeys(name for item in value[:1000] for name in item))
            if names and not all(isinstance(item.get(name), dict | list) for item in value[:20] for name in names):
                rows = [names] + [[_scalar(item.get(name)) for name in names] for item in value]
                table = from_rows(where, rows, header=True)
                found += [table] if table else []
        elif len(value) > 1 and all(isinstance(item, list) for item in value):
            table = from_rows(
                where, [[_scalar(cell) for cell in item] for item in value], header=False if counted else None
            )
            if table and counted:
                table.header = [f"n {place + 1}" for place in range(table.width)]
                table.notes["counts"] = list(range(table.width)) if _all_whole(table) else []
            found += [table] if table else []
        elif len(value) > 1 and all(not isinstance(item, dict | list) for item in value):
            table = from_rows(where, [[where.rsplit(".", 1)[-1]]] + [[_scalar(item)] for item in value], header=True)
            if table and counted and _all_whole(table):
                table.notes["counts"] = [0]
            found += [table] if table else []
        for place, item in enumerate(value[:2000]):
            if isinstance(item, dict) or (
                isinstance(item, list) and any(isinstance(cell, dict | list) for cell in item)
            ):
                found += from_json(f"{where}[{place}]", item, depth + 1)
            if len(found) > MAX_TABLES:
                break
    elif isinstance(value, dict):
        found += _from_object(where, value, depth, total)
    return found[:MAX_TABLES]


def _scalar(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value)
    return json.dumps(value) if isinstance(value, dict | list) else value


def _flat(item: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """An object with the fields of the objects in it in their place, as `properties` of a GeoJSON feature."""
    if depth > 2 or not any(isinstance(inner, dict) for inner in item.values()):
        return item
    found: dict[str, Any] = {}
    for name, inner in item.items():
        if isinstance(inner, dict) and len(inner) <= 100:
            for below, cell in _flat(inner, depth + 1).items():
                found[below if below not in item and below not in found else f"{name}.{below}"] = cell
        else:
            found[name] = inner
    return found


def _all_whole(table: Table) -> bool:
    return all(
        bool((table.numbers(c) >= 0).all()) and bool((table.numbers(c) % 1 == 0).all()) for c in range(table.width)
    )


def _whole(item: Any) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and item >= 0


def _total_in(scalars: list[tuple[str, Any]]) -> float | None:
    return next((float(item) for name, item in scalars if _TOTAL.match(name) and _whole(item)), None)


def _counts_by_name(where: str, scalars: list[tuple[str, Any]], total: float | None) -> bool:
    """Whether an object of names and whole numbers holds counts: its key says so, or they add up to one beside it."""
    if not all(_whole(item) for _, item in scalars):
        return False
    return bool(_COUNTED.search(where.rsplit(".", 1)[-1])) or (
        total is not None and sum(item for _, item in scalars) == total
    )


def _split_frame(where: str, value: dict[str, Any]) -> Table | None:
    """What pandas writes with `orient="split"`."""
    columns, index, data = (value.get(name) for name in ("columns", "index", "data"))
    if not (
        isinstance(columns, list) and isinstance(data, list) and data and all(isinstance(row, list) for row in data)
    ):
        return None
    if any(len(row) != len(columns) for row in data):
        return None
    labels = index if isinstance(index, list) and len(index) == len(data) else list(range(len(data)))
    plain = labels == list(range(len(data)))
    rows = [[] if plain else [_scalar(label)] for label in labels]
    rows = [front + [_scalar(cell) for cell in row] for front, row in zip(rows, data, strict=True)]
    names = [str(name) for name in columns]
    return from_rows(where, [names if plain else ["", *names], *rows], header=True)


def _from_object(where: str, value: dict[str, Any], depth: int, total: float | None) -> list[Table]:
    found: list[Table] = []
    inner = list(value.values())
    framed = _split_frame(where, value)
    if framed is not None:
        return [framed]
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
            if len(scalars) > 1 and _counts_by_name(where, scalars, total):
                table.notes["counts"] = [1]
            found.append(table)
    for name, item in value.items():
        if isinstance(item, dict | list):
            found += from_json(f"{where}.{name}", item, depth + 1, _total_in(scalars))
    return found
