"""What a steward sees of a file: plain tables, plain text and re-encoded PNG; never active content."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from access_control.settings import Settings


@dataclass(frozen=True)
class PreviewTable:
    """A table cut to size; `rows_total` counts all its rows. Cells are strings to be escaped by the page."""

    name: str
    header: list[str]
    rows: list[list[str]]
    rows_total: int


@dataclass(frozen=True)
class Preview:
    """What can be shown: tables, text (cut) and PNG images; `note` says why there is nothing when there is nothing."""

    kind: str
    tables: list[PreviewTable] = field(default_factory=list)
    text: str = ""
    images: list[bytes] = field(default_factory=list)
    note: str = ""


def preview(path: Path, kind: str, settings: Settings | None = None) -> Preview:
    """The preview of the file, made in the sandbox; a file that cannot be shown gives a note, not an error."""
    raise NotImplementedError
