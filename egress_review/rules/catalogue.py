"""The catalogue: each rule with its reason, where it comes from, how grave it is and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from access_control.settings import Profile
from egress_review.findings import MAX_TEXT, Finding, Severity
from egress_review.tables import Table


@dataclass(frozen=True)
class Rule:
    """A rule; `source` names the guide or the observation behind it."""

    id: str
    severity: Severity
    title: str
    rationale: str
    source: str
    remedy: str

    def found(self, where: str, message: str, *, severity: Severity | None = None) -> Finding:
        """A finding of this rule; `severity` only where the rule itself grades what it sees."""
        return Finding(self.id, severity or self.severity, where[:MAX_TEXT], message[:MAX_TEXT], self.remedy)


RULES: dict[str, Rule] = {}


def rule(id: str, severity: Severity, title: str, *, why: str, source: str, remedy: str) -> Rule:  # noqa: A002 - the word for it
    """Declares a rule; raises ValueError for an id that is taken."""
    if id in RULES:
        raise ValueError(f"two rules are called {id}")
    RULES[id] = Rule(id, severity, title, why, source, remedy)
    return RULES[id]


def many(number: int, one: str, more: str) -> str:
    """`1 count is`, `3 counts are`: a number with the words that go with it."""
    return f"{number} {one if number == 1 else more}"


@dataclass
class Subject:
    """A file under check, opened once for all rules. `texts` are (place, text) pairs of everything a person could read."""

    name: str
    kind: str
    data: bytes
    profile: Profile
    peers: list[str] = field(default_factory=list)
    disk: dict[str, Any] = field(default_factory=dict)  # what the parent saw of the file system entry
    claim: str = ""  # the SHA-256 that ACRO's record gives for this file
    checksum: bool = False  # this is nothing but the right checksum of a file beside it
    tables: list[Table] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
