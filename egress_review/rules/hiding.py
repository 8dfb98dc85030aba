"""The families of rules against hiding places that stand for a whole class rather than for one trick."""

from __future__ import annotations

from collections.abc import Iterator

from egress_review.findings import Finding
from egress_review.rules import asides, buffers, channels, encodings, looks, notebook_form, pdf_pages, pixels, sheets
from egress_review.rules.catalogue import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """All of them, in order."""
    for family in (encodings, channels, asides, buffers, looks, notebook_form, pdf_pages, pixels, sheets):
        yield from family.check(subject)
