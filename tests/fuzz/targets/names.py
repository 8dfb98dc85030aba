"""File names: what the checks and the submission say of them, and the type that bytes and name give together."""

from __future__ import annotations

import unicodedata

from egress_review import canonical_forms, kinds, names
from egress_review.errors import Invalid
from egress_review.rules import files
from tests.fuzz import seeds
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds

_WORDS = (
    "..",
    ".",
    "/",
    "a",
    "out.csv",
    ".ipynb",
    ".svg",
    "~",
    " ",
    "\\",
    ".png",
    "**",
    "*",
    "[",
    "]",
    "?",
    "é",
    "x" * 99,
)


def run(data: bytes) -> None:
    choices = Choices(data)
    name = "".join(choices.text(_WORDS) for _ in range(1 + choices.number(6)))
    said = list(files.check_name(name))
    holds(all(len(finding.message) <= 600 for finding in said), "a finding is cut to size")
    try:
        holds(names.check_name(name) == name, "a name is taken as it is")
    except Invalid as error:
        str(error).encode()
    else:
        holds(not name.startswith("/") and ".." not in name.split("/"), "an accepted name stays below the workspace")
        holds(all(unicodedata.category(c)[0] != "C" for c in name), "an accepted name can be seen")
        leaving = canonical_forms.released_name(name, choices.pick(("svg", "jpeg", "csv")))
        holds(".." not in leaving.split("/") and not leaving.startswith("/"), "the name it leaves under stays below")
        names.check_distinct([name])
    pattern = "".join(choices.text(_WORDS) for _ in range(choices.number(5)))
    names.matches(name.split("/"), pattern.split("/"))
    body = choices.rest()
    kind = kinds.tell(name or "x", body)
    holds(kind in kinds.KINDS, "the kind is known")
    kinds.fits(name or "x", kind)


def start() -> list[bytes]:
    return [bytes([0, n % 256, 1, n % 256, 40]) + body[:600] for n, (_, body) in enumerate(seeds.attacks())] + [
        bytes(range(40))
    ]


TARGET = Target(
    "names",
    "names of files, globs, and telling the type of bytes",
    run,
    start,
    (b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"%PDF-", b"<svg", b"<?xml"),
)
