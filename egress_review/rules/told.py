"""Small counts that stand outside tables: in sentences, lists, trees, printed arrays and dictionaries."""

from __future__ import annotations

from collections.abc import Iterator

from egress_review import told_counts
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule

TOLD = rule(
    "counts.told",
    "blocks",
    "A small count outside tables",
    source="ONS LS, UK LLC: counts in text count as tables do; statbarn: frequencies",
    why="A sentence, a list, a decision tree or a printed array tells of few people as well as a table does.",
    remedy="Say `fewer than` the threshold, round, or prune the tree so that no leaf is small.",
)
_KINDS = ("text", "html", "notebook", "pdf", "svg", "csv", "json", "xlsx")
_PROSE = (
    ".md",
    ".txt",
    ".tex",
    ".rst",
    ".html",
    ".htm",
    ".qmd",
    ".rmd",
    ".log",
    ".out",
    ".lst",
    ".smcl",
    ".typ",
    ".yaml",
    ".yml",
    "",
)


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for each place with small counts: certain ones block, sentences that may be of anything warn."""
    k = subject.profile.threshold
    if subject.kind not in _KINDS or (subject.kind == "text" and not subject.name.lower().endswith(_PROSE)):
        return
    for where, text in subject.texts:
        small: dict[bool, list[told_counts.Told]] = {True: [], False: []}
        for found in told_counts.told(text):
            if 0 < found.number < k and (found.certain or subject.kind != "csv"):
                small[found.certain].append(found)
        for certain, counts in small.items():
            if counts:
                yield TOLD.found(
                    where,
                    f"{many(len(counts), 'count', 'counts')} below {k}, such as “{counts[0].words[:100]}”.",
                    severity="blocks" if certain else "warns",
                )
