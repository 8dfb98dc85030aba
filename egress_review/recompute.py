"""Computes the cells of a table again from the source, where its figures are statistics of a column over groups.

First the groups that the labels name are tried. What is still not recognised may be of a part of the people, who share
one value of another column: that is searched as long as there is time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from egress_review.agreement import Columns, Fit, Trial, agrees, best_fit
from egress_review.group_statistics import (
    NAMES,
    QUICK,
    Measure,
    Statistics,
    count_rows,
    measure,
    slow_statistics,
    statistics,
)
from egress_review.source_table import Codes, Groups, SourceTable
from egress_review.table_readings import Line, Reading, readings, same_name
from egress_review.tables import Table

SLOW = tuple(name for name in NAMES if name not in QUICK)
MAX_CELLS = 4_000_000  # groups of several columns together
AT_ONCE = 20_000_000  # rows times columns between two looks at the clock
SLOW_CHOICES = 4  # groupings under which medians and the like are tried
PART_CHOICES, PART_SIZE = (
    2,
    30,
)  # of a search among parts of the people: groupings, and values of the column that tells them
PART_WORK = 300_000_000  # rows times columns times groupings of that search


Chosen = tuple[Groups, ...]  # a column of the source for each slot of labels


class OutOfTime(Exception):
    """The time for one file is over."""


@dataclass(frozen=True)
class Until:
    """When to stop: by the clock of this machine, and by the processor's time of this process."""

    clock: float
    processor: float


@dataclass(frozen=True)
class Scheme:
    """A grouping of the source's rows by no, one or more columns."""

    columns: tuple[str, ...]
    codes: Codes
    size: int


@dataclass
class Recomputed:
    """A line that was recognised: cells with the scheme and group behind each. `column` is empty for counts of rows."""

    where: str
    name: str
    column: str
    statistic: str
    places: list[str] = field(default_factory=list)
    schemes: list[Scheme] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)


@dataclass
class Outcome:
    """What became of one table against one source."""

    found: list[Recomputed] = field(default_factory=list)
    unfinished: bool = False  # groups that its labels name were not all tried


class Work:
    """One source during the check of one file: groupings and statistics that were made already, and the time left."""

    def __init__(self, source: SourceTable, until: Until) -> None:
        self.source = source
        self.until = until
        self.numeric = [name for name in source.names if source.numeric(name)]
        self._schemes: dict[tuple[str, ...], Scheme | None] = {}
        self._statistics: dict[tuple[tuple[str, ...], str], Statistics] = {}
        self._measures: dict[str, Measure] = {}

    def look_at_clock(self) -> None:
        """Raises OutOfTime when the file has had its time."""
        if time.monotonic() > self.until.clock or time.process_time() > self.until.processor:
            raise OutOfTime

    def scheme(self, chosen: Chosen) -> Scheme | None:
        """The grouping by these columns; None when it has too many groups."""
        key = tuple(groups.key for groups in chosen)
        if key not in self._schemes:
            self.look_at_clock()
            self._schemes[key] = _scheme(key, chosen, self.source.rows)
        return self._schemes[key]

    def statistics(self, scheme: Scheme, column: str) -> Statistics:
        """Those of a column over a grouping; `column` may be empty: the number of rows."""
        key = scheme.columns, column
        if key not in self._statistics:
            self.look_at_clock()
            if column:
                numbers = self.source.numbers(column)
                self._statistics[key] = statistics(scheme.codes, scheme.size, numbers, self._measure(column))
            else:
                self._statistics[key] = count_rows(scheme.codes, scheme.size)
        return self._statistics[key]

    def _measure(self, column: str) -> Measure:
        if column not in self._measures:
            self._measures[column] = measure(self.source.numbers(column))
        return self._measures[column]

    def fit(self, trial: Trial, scheme: Scheme, tried: int, kinds: tuple[str, ...]) -> Fit | None:
        """What a line agrees with under a grouping: columns of its name first, then all others."""
        named = [name for name in self.numeric if same_name(trial.name, name)]
        others = [name for name in self.numeric if name not in named]
        width = max(1, AT_ONCE // max(1, self.source.rows))
        if "count" in kinds:
            counted = Columns([""], [self.statistics(scheme, "")])
            if (found := best_fit(trial, counted, ("count",), tried * (1 + len(named)))) is not None:
                return found
        for names, trials in ((named, tried * (1 + len(named))), (others, tried * (1 + len(self.numeric)))):
            best: Fit | None = None
            for start in range(0, len(names), width):
                part = names[start : start + width]
                made = [self.statistics(scheme, name) for name in part]
                for name, each in zip(part, made, strict=True) if kinds is SLOW else ():
                    self.look_at_clock()
                    slow_statistics(each, scheme.codes, self.source.numbers(name))
                found = best_fit(trial, Columns(part, made), kinds, trials)
                if found is not None and (best is None or found.bits > best.bits):
                    best = found
            if best is not None:
                return best
        return None


def _scheme(columns: tuple[str, ...], chosen: Chosen, rows: int) -> Scheme | None:
    size = int(np.prod([groups.size for groups in chosen], dtype=np.int64)) if chosen else 1
    if size > MAX_CELLS:
        return None
    if len(chosen) == 1:
        return Scheme(columns, chosen[0].codes, size)
    codes = np.zeros(rows, dtype=np.int32)
    empty = np.zeros(rows, dtype=np.bool_)
    for groups in chosen:
        codes = codes * np.int32(groups.size) + groups.codes
        empty |= groups.codes < 0
    codes[empty] = -1
    return Scheme(columns, codes, size)


def group_of(labels: tuple[str | None, ...], chosen: Chosen) -> int:
    """The group of a cell with a label in each slot; -1 where the source has no such value."""
    place = 0
    for label, groups in zip(labels, chosen, strict=True):
        code = groups.labels.get(label or "", -1)
        if code < 0:
            return -1
        place = place * groups.size + code
    return place


def recompute(table: Table, work: Work) -> Outcome:
    """All lines of a table that are statistics of this source."""
    outcome = Outcome()
    left: list[tuple[Reading, Line, list[Chosen]]] = []
    try:
        work.look_at_clock()
        for reading in readings(table, work.source):
            found, rest, likely = _of_reading(reading, work)
            outcome.found += [told for _, told in found]
            left += [(reading, line, likely) for line in rest]
            for line, _ in found:  # a cell that another reading has recognised
                left = [each for each in left if set(each[1].cells).isdisjoint(line.cells)]
            if found and not left:
                return outcome
    except OutOfTime:
        outcome.unfinished = True
        return outcome
    try:
        told = [_of_a_part(reading, line, likely, work) for reading, line, likely in left]
        outcome.found += [each for each in told if each is not None]
    except OutOfTime:
        return outcome
    return outcome


def _of_reading(reading: Reading, work: Work) -> tuple[list[tuple[Line, Recomputed]], list[Line], list[Chosen]]:
    """The lines that were recognised, those that were not, and the likeliest groupings for these."""
    left = list(reading.lines)
    found: list[tuple[Line, Recomputed]] = []
    right: list[Chosen] = []
    choices = list(reading.choices())
    for kinds, limit in ((QUICK, len(choices)), (SLOW, SLOW_CHOICES)):
        # The lines of one table are mostly of one grouping: where one was recognised, others will be.
        for rank, chosen in enumerate(dict.fromkeys([*right, *choices][:limit]), 1):
            scheme = work.scheme(chosen) if left else None
            for line in list(left) if scheme is not None else ():
                trial = _trial(line, line.labels, chosen)
                fit = work.fit(trial, scheme, rank, kinds) if trial and scheme else None
                if fit is not None:
                    left.remove(line)
                    right.append(chosen)
                    found.append((line, _told(reading, line, line.labels, chosen, fit, work)))
    return found, left, list(dict.fromkeys([*right, *choices]))[: 1 if right else PART_CHOICES]


def _of_a_part(reading: Reading, line: Line, choices: list[Chosen], work: Work) -> Recomputed | None:
    """A line that is of those people only who share one value of another column."""
    few = [groups for groups in map(work.source.groups, work.source.names) if groups and 2 <= groups.size <= PART_SIZE]
    tried = len(choices) * sum(len(groups.labels) for groups in few)
    if work.source.rows * len(work.numeric) * len(few) * len(choices) > PART_WORK:
        return None
    for chosen in choices:
        for part in few:
            scheme = work.scheme((*chosen, part)) if part not in chosen else None
            for label in part.labels if scheme is not None else ():
                labels = [(*each, label) for each in line.labels]
                trial = _trial(line, labels, (*chosen, part))
                fit = work.fit(trial, scheme, tried, QUICK) if trial and scheme else None
                if fit is not None:
                    return _told(reading, line, labels, (*chosen, part), fit, work)
    return None


def _trial(line: Line, labels: list[tuple[str | None, ...]], chosen: Chosen) -> Trial | None:
    """The cells of a line that have a group of their own; None where there are none."""
    groups = np.array([group_of(each, chosen) for each in labels], dtype=np.int64)
    inner = np.flatnonzero(groups >= 0)
    if not len(inner):
        return None
    steps = [np.array(each)[inner] for each in (line.steps, line.coarse)]
    if bool((steps[0] == steps[1]).all()):
        del steps[1]
    return Trial(line.name, np.array(line.values)[inner], tuple(steps), groups[inner])


def _told(  # noqa: PLR0917 - a line and what was found of it
    reading: Reading, line: Line, labels: list[tuple[str | None, ...]], chosen: Chosen, fit: Fit, work: Work
) -> Recomputed:
    """The cells that agree, totals among them: those are of the grouping by the columns that have a label there."""
    found = Recomputed(reading.table.where, line.name, fit.column, fit.statistic)
    all_steps = line.coarse if fit.coarse else line.steps
    for cell, value, step, each in zip(line.cells, line.values, all_steps, labels, strict=True):
        kept = [place for place, label in enumerate(each) if label is not None]
        part = tuple(chosen[place] for place in kept)
        scheme = work.scheme(part)
        group = group_of(tuple(each[place] for place in kept), part)
        if scheme is None or group < 0:
            continue
        made = work.statistics(scheme, fit.column)
        if fit.statistic in SLOW:
            slow_statistics(made, scheme.codes, work.source.numbers(fit.column))
        real = made.values[fit.statistic][group : group + 1]
        if agrees(np.array([value]), np.array([step]), real, fit.scale)[0] and made.n[group] > 0:
            found.places.append(reading.place(cell))
            found.schemes.append(scheme)
            found.groups.append(group)
    return found
