"""Figures: the table under a figure is what a reviewer can check."""

from __future__ import annotations

from collections.abc import Iterator

from egress_review import kinds
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, rule

NO_TABLE = rule("figure.no-table", "informs", "A figure without its table", source="OpenSAFELY: 10 % of rejections had no data under a figure",
    why="From pixels alone nobody can tell how many people stand behind a bar or a point.",
    remedy="Add the table of plotted values, with counts, as a CSV file of the same name.")  # fmt: skip


def check(subject: Subject) -> Iterator[Finding]:
    """A figure with no table of values among the files of the request."""
    if subject.kind not in ("png", "jpeg", "svg", "pdf"):
        return
    stem = subject.name.rsplit("/", 1)[-1].rsplit(".", 1)[0].lower()
    tables = [
        name.rsplit("/", 1)[-1].lower()
        for name in subject.peers
        if kinds.ending_of(name) in (".csv", ".tsv", ".xlsx", ".json", ".parquet", ".feather")
    ]
    if not any(name.startswith(stem) or stem.startswith(name.rsplit(".", 1)[0]) for name in tables):
        yield NO_TABLE.found(subject.name, "No table of the values behind this figure is in the request.")
