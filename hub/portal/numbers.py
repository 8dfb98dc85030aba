"""Numbers that come from outside: no larger than a column of the database holds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

LARGEST = 2**31 - 1


def number_of(text: str) -> int | None:
    """The number that a text is, when a column can hold it; None for anything else."""
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        return None
    return int(text) if int(text) <= LARGEST else None


Number = Annotated[int, Field(ge=0, le=LARGEST)]
