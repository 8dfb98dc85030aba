"""The canonical rewrite of a file: what leaves instead of the original, values only."""

from __future__ import annotations

from pathlib import Path

from access_control.settings import Settings


def rewrite(path: Path, kind: str, settings: Settings | None = None) -> bytes | None:
    """The canonical bytes of the file of this `kind` (FileResult.kind), written in the sandbox; None: no such form, it cannot leave.

    PNG and JPEG come back as PNG, PDF as a PDF of images, SVG as PNG, others as their own kind; `media_type(kind)` tells.
    """
    raise NotImplementedError


def released_name(name: str, kind: str) -> str:
    """The name under which the canonical form of a file leaves: `fig.svg` leaves as `fig.png`."""
    raise NotImplementedError


def media_type(kind: str) -> str:
    """The media type of the canonical form of this kind."""
    raise NotImplementedError
