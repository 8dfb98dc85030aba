"""The families of rules against hiding places that stand for a whole class rather than for one trick."""

from __future__ import annotations

from collections.abc import Iterator

from egress_review.findings import Finding
from egress_review.rules import asides, channels, encodings, notebook_form, pixels, sheets
from egress_review.rules.catalogue import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """All of them, in order."""
    for family in (encodings, channels, asides, notebook_form, pixels, sheets):
        yield from family.check(subject)
