"""The table of all attacks, made from the docstrings of the tests: run it to write docs/reference/red-team.md anew.

Each test file of this folder tries one way out, and says in its docstring, a line each, what it tries, `Way:` (container,
gateway, browser, hub, submission), `Control:` (where the attack was seen to work) and `Held by:` or, where it cannot be
stopped, `Bounded by:`.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "reference" / "red-team.md"
WAYS = ("container", "hub", "gateway", "browser", "submission")
HEAD = """# The red team's table

Each row is a file below `tests/redteam/`: an attack run from inside a real container, over the real gateway, or in a real
Chromium. Each has a control that is part of the test: stock JupyterHub with DockerSpawner or a container with that one
defence left out, where the attack works; or, where there is no such thing, the same request by the one who may. *Bounded* means that it cannot
be stopped, and what bounds it. This page is generated from the tests.
"""


@dataclass(frozen=True)
class Attack:
    """One row."""

    file: str
    tries: str
    way: str
    control: str
    verdict: str
    defence: str
    tests: tuple[str, ...]


def read(path: Path) -> Attack:
    """The row of one test file; raises ValueError that names the file and what its docstring lacks."""
    tree = ast.parse(path.read_text())
    lines = [line.strip() for line in (ast.get_docstring(tree) or "").splitlines()]
    said: dict[str, str] = {}
    current = ""
    for line in lines[1:]:
        name, colon, rest = line.partition(": ")
        if colon and name in {"Way", "Control", "Held by", "Bounded by"}:
            current, said[name] = name, rest
        elif current and line:
            said[current] += " " + line
    verdict = "Held by" if "Held by" in said else "Bounded by"
    for name in ("Way", "Control", verdict):
        if name not in said:
            raise ValueError(f"{path.name}: its docstring has no line `{name}: …`")
    if said["Way"] not in WAYS:
        raise ValueError(f"{path.name}: Way is {said['Way']!r}, and must be one of {', '.join(WAYS)}")
    tests = tuple(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )
    return Attack(
        path.name,
        lines[0].rstrip("."),
        said["Way"],
        said["Control"],
        verdict.split(maxsplit=1)[0].lower(),
        said[verdict],
        tests,
    )


def attacks() -> list[Attack]:
    """All rows, by way and file."""
    found = [read(path) for path in sorted(FOLDER.glob("test_*.py")) if path.name != "test_catalogue.py"]
    return sorted(found, key=lambda attack: (WAYS.index(attack.way), attack.file))


def page() -> str:
    """The page as Markdown."""
    rows = attacks()
    held = sum(1 for row in rows if row.verdict == "held")
    parts = [HEAD, f"{len(rows)} attacks: {held} held, {len(rows) - held} bounded.\n"]
    for way in WAYS:
        parts += [f"## By way of the {way}\n", "| tries | control | | by | test |", "| --- | --- | --- | --- | --- |"]
        parts += [
            f"| {row.tries} | {row.control} | {row.verdict} | {row.defence} | `tests/redteam/{row.file}` |"
            for row in rows
            if row.way == way
        ]
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE.name} written\n")
