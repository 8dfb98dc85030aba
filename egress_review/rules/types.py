"""File types: what the bytes are against what the name says, and files that are two things at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from egress_review import kinds
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule

REFUSED = rule(
    "type.refused",
    "blocks",
    "A type that cannot leave",
    source="OpenSAFELY: 10 % of rejections are file types",
    why="Nobody can review what is in it, or it holds more than it shows.",
    remedy="Save tables as CSV, text as .txt or .md, figures as PNG, and add those instead.",
)
MISMATCH = rule(
    "type.mismatch",
    "blocks",
    "Name and content disagree",
    source="Observed",
    why="A file whose ending says one type and whose bytes say another is shown as one thing and opened as another.",
    remedy="Save the file again under the ending of its real type.",
)
POLYGLOT = rule(
    "type.polyglot",
    "blocks",
    "Two files in one",
    source="Polyglot files (PoC||GTFO and others)",
    why="A second file is attached to the first one, and a viewer shows only one of them.",
    remedy="Save the output again from your program; don't join files.",
)
BROKEN = rule(
    "type.broken",
    "blocks",
    "A file that cannot be read",
    source="Fail closed",
    why="What cannot be parsed cannot be checked.",
    remedy="Save the file again from your program.",
)
EMPTY = rule(
    "type.empty",
    "informs",
    "An empty file",
    source="Observed",
    why="There is nothing in it to review.",
    remedy="Leave it out.",
)
CODE = rule("type.code", "informs", "A script", source="OpenSAFELY, output types",
    why="Code may leave, but it can hold values typed into it.", remedy="Take out values of the data, if there are any.")  # fmt: skip

# What may start a second file; long enough not to turn up by chance in compressed bytes.
_INNER = {
    "ZIP": re.compile(rb"PK\x03\x04.{2}[\x00-\xff]{2}[\x00\x08]\x00", re.DOTALL),
    "ZIP (end)": re.compile(rb"PK\x05\x06\x00\x00\x00\x00"),
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "PDF": re.compile(rb"%PDF-1\.\d|%PDF-2\.\d"),
    "SQLite": re.compile(rb"SQLite format 3\x00"),
    "7-Zip": re.compile(rb"7z\xbc\xaf\x27\x1c"),
    "HDF5": re.compile(rb"\x89HDF\r\n\x1a\n"),
    "RAR": re.compile(rb"Rar!\x1a\x07"),
    "xz": re.compile(rb"\xfd7zXZ\x00"),
    "NumPy": re.compile(rb"\x93NUMPY[\x01-\x03]"),
}
_OWN = {"zip": {"ZIP", "ZIP (end)"}, "xlsx": {"ZIP", "ZIP (end)", "PNG"}, "png": {"PNG"}, "pdf": {"PDF"}}


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the type."""
    kind = kinds.KINDS[subject.kind]
    if subject.kind == "empty":
        yield EMPTY.found(subject.name, "The file is empty.")
        return
    if not kind.may_leave:
        yield REFUSED.found(subject.name, f"This is a file of type “{kind.title}”, which cannot leave.")
    if not kinds.fits(subject.name, subject.kind):
        ending = kinds.ending_of(subject.name) or "no ending"
        yield MISMATCH.found(subject.name, f"The name has {ending}, but the content is: {kind.title}.")
    if subject.kind in (
        "png",
        "jpeg",
        "pdf",
        "csv",
        "text",
        "json",
        "html",
        "svg",
        "notebook",
        "xlsx",
        "parquet",
        "feather",
    ):
        yield from _inner(subject)


def _inner(subject: Subject) -> Iterator[Finding]:
    own = _OWN.get(subject.kind, set())
    plain = subject.data.isascii()
    for title, pattern in _INNER.items():
        if title in own or (plain and re.search(rb"\\x[89a-f]", pattern.pattern)):
            continue
        match = pattern.search(subject.data, 1)
        if match:
            yield POLYGLOT.found(f"byte {match.start()}", f"Inside this file another one of type {title} begins.")
    if subject.kind == "png" and subject.data.find(b"\x89PNG\r\n\x1a\n", 8) > 0:
        yield POLYGLOT.found("after the image", "A second PNG image is inside this file.")
    if subject.kind == "jpeg":
        end = subject.data.rfind(b"\xff\xd9")
        if end >= 0 and len(subject.data) - end - 2 > 0:
            yield POLYGLOT.found(
                "after the image",
                f"{many(len(subject.data) - end - 2, 'byte follows', 'bytes follow')} the end of the image.",
            )
    if subject.kind in ("png", "jpeg") and re.search(
        rb"<(?:html|script|svg|\?php)", subject.data[:65536], re.IGNORECASE
    ):
        yield POLYGLOT.found("inside the image", "Markup or a script is inside the image.")
