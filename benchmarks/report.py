"""The last line of every benchmark: one JSON object, so that runs can be compared by a program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def figure(
    ours: float | None, peers: Mapping[str, float | None], unit: str, *, digits: int = 3, **more: Any
) -> dict[str, Any]:
    """One figure beside what others give in the same run; `ratio` is ours to the first peer that has a figure.

    `more` are further keys, such as what is wanted of it.
    """
    known = {name: round(value, digits) for name, value in peers.items() if value is not None}
    base = next(iter(known.values()), None)
    return {
        "ours": None if ours is None else round(ours, digits),
        "peers": known,
        "unit": unit,
        "ratio": round(ours / base, 3) if ours is not None and base else None,
        **more,
    }


def finish(benchmark: str, figures: Mapping[str, dict[str, Any]], **more: Any) -> None:
    """Prints the last line. The first figure is the main one: it stands at the top as well."""
    main = next(iter(figures.values()))
    shown = {name: main[name] for name in ("ours", "peers", "unit", "ratio")}
    print(json.dumps({"benchmark": benchmark, **shown, "figures": dict(figures), **more}), flush=True)
