"""What a decision is, what a session mounts, and what it is refused: plain values that travel between the programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Decision:
    """The answer to one question; `row_id` is the row that decided it, `reason` a sentence for the person."""

    allowed: bool
    row_id: str | None
    reason: str


@dataclass(frozen=True)
class Mount:
    """One rendition as a session sees it, with the evidence of why.

    `source` is the absolute path of the published folder, `target` the path inside the session: `/data/hiv`, or
    `/data/hiv/pseudonymised` when the session has several renditions of one dataset. `files` are name -> SHA-256.
    """

    dataset_id: str
    rendition: str
    version: int
    source: str
    target: str
    files: dict[str, str]
    row_id: str
    agreement_id: str | None
    tier: int
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, as SessionRecord.mounts keeps them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Mount:
        """Reads what as_dict() wrote; raises TypeError for anything else."""
        return cls(**values)


@dataclass(frozen=True)
class Refusal:
    """A rendition that the person does not see in the project: the one thing in the way, and who can change it."""

    rendition: str
    title: str
    sentence: str
    who_can_change: str
