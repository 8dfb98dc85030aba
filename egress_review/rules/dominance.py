"""Cells that are computed again from the mounted data: how many contribute to each, and whether one of them dominates."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from egress_review import recompute
from egress_review.findings import Finding
from egress_review.group_statistics import Contributors, contributors
from egress_review.rules.catalogue import Subject, many, rule
from egress_review.source_table import MAX_ROWS, SourceTable

FEW = rule(
    "cells.few",
    "blocks",
    "A statistic of few people, by the source",
    source="ACRO, ONS LS, UK LLC, ABS DataLab: n ≥ 10; computed again from the mounted data",
    why="What is printed without its count may be the value of one person, or nearly.",
    remedy="Join groups until each has the threshold's number of people, or suppress the cell and one more beside it.",
)
DOMINANCE = rule(
    "cells.dominance",
    "blocks",
    "Few contributors make up a sum or mean, by the source",
    source="ACRO NK(2, 90 %); Bundesbank (2, 85 %); ABS (2, 67 %); computed again from the mounted data",
    why="A sum that one or two make up nearly alone tells their value.",
    remedy="Join groups or suppress the cell, and another one beside it; a median hides the largest.",
)
ESTIMABLE = rule(
    "cells.p-percent",
    "blocks",
    "The largest contributor can be estimated, by the source",
    source="ACRO p-ratio 10 %; SDC Handbook: p-percent rule; computed again from the mounted data",
    why="The second largest, who knows his own value, can tell the largest's to within p percent.",
    remedy="Join groups or suppress the cell, and another one beside it; a median hides the largest.",
)
MEDIAN = rule(
    "cells.median",
    "blocks",
    "A median with few people on each side, by the source",
    source="ACRO; SDC Handbook: k on each side; computed again from the mounted data",
    why="A median of few people is the value of one of them, or lies between two.",
    remedy="Join groups until half of each has the threshold's number of people.",
)
SHARE = rule(
    "cells.share",
    "blocks",
    "A share that stands for few people, by the source",
    source="ONS LS; UK LLC; ABS DataLab: 10 in numerator and denominator; computed again from the mounted data",
    why="A percentage of a group whose size can be found out is a count.",
    remedy="Suppress the share, or join categories.",
)
UNSEEN = rule(
    "cells.unseen",
    "warns",
    "Not computed again from the source",
    source="Our own limits: rows of a source, and seconds for one file",
    why="Where the machine could not count the people behind a cell, a person has to.",
    remedy="Give the number of people beside each figure, and the shares of the largest beside sums.",
)

SECONDS = 12.0  # of the processor for one file
BY_CLOCK = 30.0  # of the minute that a check has, where other work keeps the processor away
MAX_TABLES = 40
ADDED = ("sum", "mean")


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in every table of the file, against every rendition that was mounted."""
    sources: list[SourceTable] = subject.facts.get("_sources", [])
    tables = [table for table in subject.tables if table.width >= 2][:MAX_TABLES]
    if not sources or not tables:
        return
    until = recompute.Until(time.monotonic() + BY_CLOCK, time.process_time() + SECONDS)
    told = []
    for source in sources:
        if source.rows > MAX_ROWS:
            yield UNSEEN.found(
                subject.name,
                f"{source.name} has more than {MAX_ROWS:,} rows: the cells were not computed again from it.",
            )
            continue
        work = recompute.Work(source, until)
        behind = _Behind(subject, source)
        for table in tables:
            try:
                outcome = recompute.recompute(table, work)
                judged = [finding for line in outcome.found for finding in _judge(subject, source, line, behind)]
            except MemoryError:
                yield UNSEEN.found(
                    table.where or subject.name,
                    f"Computing the cells again from {source.name} needs more memory than a check may have.",
                )
                continue
            if outcome.unfinished:
                yield UNSEEN.found(
                    table.where or subject.name,
                    f"Computing the cells again from {source.name} was stopped at its time limit.",
                )
            for line in outcome.found:
                told.append({"dataset": source.name, "where": line.where, "figures": line.name, "statistic": line.statistic,
                             "column": line.column, "cells": len(line.places)})  # fmt: skip
            yield from judged
    subject.facts["recomputed"] = told[:40]


class _Behind:
    """Who stands behind the cells of a source, made once for each column and grouping."""

    def __init__(self, subject: Subject, source: SourceTable) -> None:
        self._profile, self._source = subject.profile, source
        self._made: dict[tuple[tuple[str, ...], str], Contributors] = {}

    def of(self, scheme: recompute.Scheme, column: str) -> Contributors:
        key = scheme.columns, column
        if key not in self._made:
            numbers = self._source.numbers(column) if column else None
            self._made[key] = contributors(scheme.codes, scheme.size, numbers, self._source.units(), self._profile)
        return self._made[key]


def _judge(subject: Subject, source: SourceTable, line: recompute.Recomputed, behind: _Behind) -> Iterator[Finding]:
    profile, k = subject.profile, subject.profile.threshold
    binary = bool(line.column) and _binary(source, line.column)
    broken: dict[str, list[str]] = {}
    for place, scheme, group in zip(line.places, line.schemes, line.groups, strict=True):
        who = behind.of(scheme, line.column)
        units = int(who.units[group])
        if units < k:
            # A count below the threshold is seen as such; here it is one of more rows than there are people.
            if line.statistic != "count" or source.unit:
                broken.setdefault("few", []).append(place)
        elif line.statistic == "median" and units < 2 * k:
            broken.setdefault("median", []).append(place)
        elif line.statistic in ADDED and binary:
            if 0 < who.ones[group] < k or 0 < units - who.ones[group] < k:
                broken.setdefault("share", []).append(place)
        elif line.statistic in ADDED and who.dominated[group]:
            broken.setdefault("dominance", []).append(place)
        elif line.statistic in ADDED and who.estimable[group]:
            broken.setdefault("estimable", []).append(place)
    what = f"the {line.statistic} of {line.column}" if line.column else "the number of rows"
    people = "people" if source.unit else "rows"
    for kind, places in broken.items():
        found, sentence = {
            "few": (FEW, f"fewer than {k} {people}"),
            "median": (MEDIAN, f"fewer than {k} {people} on each side"),
            "share": (SHARE, f"fewer than {k} {people} in the share or outside it"),
            "dominance": (DOMINANCE, f"{profile.dominance_n} contributors of {profile.dominance_percent:g} % or more"),
            "estimable": (ESTIMABLE, f"a largest contributor that another can tell to within {profile.p_percent:g} %"),
        }[kind]
        more = f"; {many(len(places) - 1, 'more cell is', 'more cells are')} like it" if len(places) > 1 else ""
        yield found.found(
            f"{line.where or subject.name}: {places[0]}", f"As {what} in {source.name} this has {sentence}{more}."
        )


def _binary(source: SourceTable, column: str) -> bool:
    numbers = source.numbers(column)
    return bool(((numbers == 0) | (numbers == 1) | np.isnan(numbers)).all())
