"""Which file names may leave. A name is a channel too: it is read by people, shown in pages and kept for ever."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from egress_review.errors import Invalid

MAX_NAME = 160  # characters of a whole path
MAX_PART = 100
MAX_DEPTH = 12


def check_name(name: str) -> str:
    """`name` when it is a plain path below the workspace; raises Invalid with the rule that it breaks.

    Letters of any script are fine; invisible, directional and control characters, backslashes, empty, `.` and `..`
    parts, and blanks or dots at an end are not.
    """
    shown = name.encode("unicode_escape").decode()[:MAX_NAME]
    if not name or len(name) > MAX_NAME:
        raise Invalid(f"The name {shown!r} must have 1 to {MAX_NAME} characters. Rename the file.")
    if any(unicodedata.category(char).startswith("C") or unicodedata.category(char) in {"Zl", "Zp"} for char in name):
        raise Invalid(f"The name {shown} has invisible or control characters. Rename the file.")
    if any(unicodedata.category(char) == "Zs" and char != " " for char in name):
        raise Invalid(f"The name {shown} has a blank that is no plain blank. Rename the file.")
    if unicodedata.normalize("NFC", name) != name:
        raise Invalid(f"The name {shown} is not written in composed characters (Unicode NFC). Rename the file.")
    if "\\" in name:
        raise Invalid(f"The name {shown} has a backslash. Rename the file.")
    parts = name.split("/")
    if len(parts) > MAX_DEPTH:
        raise Invalid(f"{shown} lies more than {MAX_DEPTH} folders deep. Move it up.")
    for part in parts:
        if part in {"", ".", ".."}:
            raise Invalid(f"{shown} is no path below the workspace: write it without a leading /, // or ..")
        if len(part) > MAX_PART or part != part.strip() or part.endswith("."):
            raise Invalid(
                f"In {shown} the part {part!r} is over {MAX_PART} characters, or has a blank or dot at an end. Rename."
            )
    return name


def check_distinct(names: Iterable[str]) -> None:
    """Raises Invalid when two names differ in case alone: on many computers they are one file."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise Invalid(f"{other} and {name} differ in capitals alone. Rename one of them.")


def matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path matches a glob, part by part; `**` stands for any number of folders.

    Names that begin with a dot are matched only by a pattern part that begins with one.
    """
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return matches(parts, pattern[1:]) or (
            bool(parts) and not parts[0].startswith(".") and matches(parts[1:], pattern)
        )
    if not parts or (parts[0].startswith(".") and not pattern[0].startswith(".")):
        return False
    return fnmatchcase(parts[0], pattern[0]) and matches(parts[1:], pattern[1:])
