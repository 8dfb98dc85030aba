"""Two turns of a file side by side: the lines of their previews that differ, with a little around them."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

from egress_review.previews import Preview

AROUND = 2  # unchanged lines shown before and after a change
MOST_LINES = 2_000  # of a turn: comparing takes the square of it at worst


@dataclass(frozen=True)
class Line:
    """A pair of lines; `kind` says what happened between the turns."""

    kind: Literal["same", "gone", "new", "changed", "left-out"]
    old: str
    new: str


def lines_of(shown: Preview) -> list[str]:
    """A preview as lines: its tables' rows, then its text."""
    found: list[str] = []
    for table in shown.tables:
        found += [table.name] if table.name else []
        found += [" | ".join(row) for row in (table.header, *table.rows)]
    return [*found, *shown.text.splitlines()]


def compare(old: Preview, new: Preview) -> tuple[list[Line], bool]:
    """What differs, in order; empty when nothing does. The second value says whether either was too long to compare."""
    a, b = lines_of(old), lines_of(new)
    cut = max(len(a), len(b)) > MOST_LINES
    found: list[Line] = []
    steps = SequenceMatcher(None, a[:MOST_LINES], b[:MOST_LINES], autojunk=False).get_opcodes()
    for number, (what, a1, a2, b1, b2) in enumerate(steps):
        if what == "equal":
            found += _around(a[a1:a2], first=number == 0, last=number == len(steps) - 1)
        else:
            found += [_changed(x, y) for x, y in zip_longest(a[a1:a2], b[b1:b2])]
    return ([] if all(line.kind in ("same", "left-out") for line in found) else found), cut


def _changed(old: str | None, new: str | None) -> Line:
    if old is None:
        return Line("new", "", new or "")
    return Line("gone", old, "") if new is None else Line("changed", old, new)


def _around(lines: list[str], *, first: bool, last: bool) -> list[Line]:
    """The ends of an unchanged stretch, with a sign where lines are left out."""
    before, after = 0 if first else AROUND, 0 if last else AROUND
    if len(lines) <= before + after + 1:
        return [Line("same", line, line) for line in lines]
    head, tail = lines[:before], lines[len(lines) - after :]
    gap = f"… {len(lines) - before - after} lines are the same …"
    return [
        *(Line("same", line, line) for line in head),
        Line("left-out", gap, gap),
        *(Line("same", line, line) for line in tail),
    ]
