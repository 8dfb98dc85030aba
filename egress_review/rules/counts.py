"""Frequency tables: small cells, complements, zeros, rounding, and shares that imply small counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from egress_review.composite_cells import counts_in
from egress_review.count_columns import SHARE, Layout, is_rounded, layout
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule
from egress_review.tables import Floats, Table

_SDC = "ACRO defaults; ONS LS; UK LLC; ABS DataLab: count ≥ 10"
SMALL = rule(
    "counts.small",
    "blocks",
    "A small count",
    source=_SDC,
    why="A cell with few people in it may be recognised, and tells what they have in common.",
    remedy="Join categories or suppress the cell, and one more in its row and column.",
)
COMPLEMENT = rule(
    "counts.complement",
    "blocks",
    "A small complement",
    source="ABS DataLab; ONS: 90 of 92 shows the 2",
    why="A count close to its total tells of the few who are not in it.",
    remedy="Join categories, or round both.",
)
ZERO = rule(
    "counts.zero",
    "warns",
    "A zero cell",
    source="ACRO: zeros_are_disclosive",
    why="A zero says that nobody of a group has a property (and so that all lack it).",
    remedy="Join categories, or explain why the zero is structural.",
)
FULL = rule(
    "counts.full",
    "warns",
    "A full cell (100 %)",
    source="ONS; ACRO",
    why="When all of a group have a property, it is known of each of them.",
    remedy="Join categories, or explain why it is structural.",
)
UNROUNDED = rule(
    "counts.unrounded",
    "warns",
    "Counts that are not rounded",
    source="OpenSAFELY: 30 % of rejections; ACRO rounding base 5",
    why="Exact counts can be subtracted from those of another table.",
    remedy="Round counts to the base of the profile, and make totals and shares from the rounded counts.",
)
SHARES = rule("counts.share", "blocks", "A share that implies a small count", source="ONS LS; UK LLC; CMS: direct or derived",
    why="A percentage of a known total is a count.", remedy="Suppress the share, or join categories.")  # fmt: skip


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in every table of the file."""
    for table in subject.tables:
        for read in filter(None, (table, counts_in(table))):
            senses = layout(read)
            if senses.counts or senses.shares:
                yield from _table(subject, read, senses)


def _place(table: Table, row: int, column: int, subject: Subject) -> str:
    label = table.cell(row, 0)[:40] if table.width > 1 and column != 0 else f"row {row + 1}"
    return f"{table.where or subject.name}: {label or f'row {row + 1}'} / {table.header[column][:40] or f'column {column + 1}'}"


def _table(subject: Subject, table: Table, senses: Layout) -> Iterator[Finding]:
    profile = subject.profile
    k = profile.threshold
    where = table.where or subject.name
    small: list[tuple[int, int]] = []
    zeros: list[tuple[int, int]] = []
    unrounded = 0
    example = 0.0
    for column in senses.counts:
        values = table.numbers(column)
        small += [(int(row), column) for row in np.flatnonzero((values > 0) & (values < k))]
        zeros += [(int(row), column) for row in np.flatnonzero(values == 0)]
    rounded = all(is_rounded(table.numbers(column), profile.round_to) for column in senses.counts)
    if not rounded and profile.round_to > 1:
        for column in senses.counts:
            values = table.numbers(column)
            off = values[(values >= k) & (values % profile.round_to != 0)]
            unrounded += len(off)
            example = float(off[0]) if len(off) else example
    if small:
        row, column = small[0]
        first = f"; the first is {table.cell(row, column)}" if len(small) > 1 else f": {table.cell(row, column)}"
        yield SMALL.found(
            _place(table, row, column, subject), f"{many(len(small), 'count is', 'counts are')} below {k}{first}."
        )
    if zeros and profile.zeros_disclosive and table.height < 5000:
        row, column = zeros[0]
        yield ZERO.found(_place(table, row, column, subject), f"{many(len(zeros), 'cell is', 'cells are')} zero.")
    if unrounded:
        yield UNROUNDED.found(
            where,
            f"{many(unrounded, 'count is no multiple', 'counts are no multiples')} of {profile.round_to}{', such as' if unrounded > 1 else ':'} {example:.0f}.",
        )
    yield from _complements(subject, table, senses)
    yield from _shares(subject, table, senses)


_WHOLE = re.compile(
    r"^(?:n|total|all|denominator|population|pop|base|n_total|total_n|at[ _.]?risk|group_size|size|obs|n_obs|nobs)$|total|denom",
    re.IGNORECASE,
)


def _complements(subject: Subject, table: Table, senses: Layout) -> Iterator[Finding]:
    k = subject.profile.threshold
    wholes = [c for c in senses.counts if _WHOLE.search(table.header[c].strip())]
    for whole in wholes:
        total = table.numbers(whole)
        for part in senses.counts:
            if part == whole or part in wholes:
                continue
            values = table.numbers(part)
            rest = total - values
            close = np.flatnonzero((rest > 0) & (rest < k) & (values >= k))
            if len(close):
                row = int(close[0])
                yield COMPLEMENT.found(
                    _place(table, row, part, subject),
                    f"{table.cell(row, part)} of {table.cell(row, whole)}: the other {rest[row]:.0f} are fewer than {k}.",
                )
            if np.any((rest == 0) & (values > 0)):
                row = int(np.flatnonzero((rest == 0) & (values > 0))[0])
                yield FULL.found(_place(table, row, part, subject), "All of the group are in this cell.")


_BASE_ROW = re.compile(r"^(?:N|n|base|unweighted base|total n|respondents|number of (?:people|patients|respondents))$")
_BASE = re.compile(
    r"(?:\bbase|sample size|unweighted n|total n)\s*(?:[:=]|is|was|of)\s*(\d[\d,]*)"
    r"|(\d[\d,]*) (?:patients|people|persons|participants|respondents|children|women|men|adults|pupils|students|subjects|cases)\b",
    re.IGNORECASE,
)
_POPULATION = re.compile(
    r"^(?:population|pop|person[ _-]?years|denominator|residents|inhabitants|n_population|pop_size)$", re.IGNORECASE
)
_PER = re.compile(
    r"per[ _]?(1[ _,.]?000(?:[ _,.]?000)?|10[ _,.]?000|100[ _,.]?000|thousand|hundred|million|1000|100|1k|10k|100k|1m)\b",
    re.IGNORECASE,
)
_PER_WORDS = {"thousand": 1e3, "hundred": 100.0, "million": 1e6, "1k": 1e3, "10k": 1e4, "100k": 1e5, "1m": 1e6}


def _base(subject: Subject, table: Table, senses: Layout) -> Floats | None:
    """The total that shares of a row refer to: a count beside them, or one `N = …` in the table or text."""
    populations = [
        c for c, name in enumerate(table.header) if _POPULATION.match(name.strip()) and c not in senses.shares
    ]
    if populations:
        return table.numbers(populations[0])
    named = [c for c in senses.counts if _WHOLE.search(table.header[c].strip())] or senses.counts
    if named and not senses.crossed:
        return table.numbers(named[-1] if len(named) == 1 else named[0])
    for text in [*table.header, *(text for _, text in subject.texts[:3])]:
        match = re.search(r"\b[Nn]\s*=\s*(\d[\d,]*)", text[:20000])
        if match:
            return np.full(table.height, float(match.group(1).replace(",", "")))
    stated = _base_row(table)
    if stated is not None and not np.isnan(table.numbers(table.width - 1)[stated]):
        return np.full(table.height, table.numbers(table.width - 1)[stated])
    told = {match[1] or match[2] for _, text in subject.texts[:3] for match in _BASE.finditer(text[:20000])}
    if len(told) == 1:  # of several nobody knows which one is meant
        return np.full(table.height, float(told.pop().replace(",", "")))
    return None


def _shares(subject: Subject, table: Table, senses: Layout) -> Iterator[Finding]:
    k = subject.profile.threshold
    base = _base(subject, table, senses)
    for column in senses.shares:
        values = table.numbers(column)
        if (stated := _base_row(table)) is not None:
            values = values.copy()
            values[stated] = np.nan
        known = values[~np.isnan(values)]
        if not len(known) or (known < 0).any() or not SHARE.search(table.header[column]):
            continue
        top = float(known.max())
        per = _PER.search(table.header[column].replace("_", " "))
        if per:
            yield from _rates(subject, table, column, base, _per(per[1]))
            continue
        if _of_few(table, column, k):
            yield SHARES.found(
                f"{table.where or subject.name}: {table.header[column][:40]}",
                f"Written to the last digit the shares are fractions of fewer than {k} people.",
                severity="warns",
            )
        percent = (
            "%" in table.header[column] or re.search(r"percent|pct", table.header[column], re.IGNORECASE) or top > 1
        )
        scale = 100.0 if percent else 1.0
        if top > scale * 1.0001:
            continue
        full = np.flatnonzero(values == scale)
        empty = np.flatnonzero(values == 0)
        if len(full) and not (len(full) == 1 and _is_total(table, int(full[0]))):
            yield FULL.found(
                _place(table, int(full[0]), column, subject), f"{many(len(full), 'share is', 'shares are')} 100 %."
            )
        if len(empty) and subject.profile.zeros_disclosive:
            yield ZERO.found(
                _place(table, int(empty[0]), column, subject), f"{many(len(empty), 'share is', 'shares are')} zero."
            )
        if base is None:
            continue
        implied = values / scale * base
        few = np.flatnonzero((implied > 0.4) & (implied < k - 0.5))
        most = np.flatnonzero((base - implied > 0.4) & (base - implied < k - 0.5) & (values < scale))
        rows = [int(row) for row in few] or [int(row) for row in most]
        if rows and not np.isnan(base[rows[0]]):
            row = rows[0]
            people = implied[row] if len(few) else base[row] - implied[row]
            yield SHARES.found(
                _place(table, row, column, subject),
                f"{values[row]:g}{' %' if percent else ''} of {base[row]:.0f} is about {people:.0f} people, fewer than {k}.",
            )


def _base_row(table: Table) -> int | None:
    labels = table.texts(0).fill_null("").to_list() if table.height <= 500 else []
    return next((row for row, label in enumerate(labels) if _BASE_ROW.match(str(label).strip())), None)


def _per(text: str) -> float:
    return _PER_WORDS.get(text.lower()) or float(re.sub(r"\D", "", text))


def _rates(subject: Subject, table: Table, column: int, base: Floats | None, per: float) -> Iterator[Finding]:
    """A rate per so many people, of a population beside it."""
    if base is None:
        return
    k = subject.profile.threshold
    people = table.numbers(column) / per * base
    few = np.flatnonzero((people > 0.4) & (people < k - 0.5))
    if len(few):
        row = int(few[0])
        yield SHARES.found(
            _place(table, row, column, subject),
            f"{table.cell(row, column)} per {per:.0f} of {base[row]:.0f} is about {people[row]:.0f} people, fewer than {k}.",
        )


def _of_few(table: Table, column: int, k: int) -> bool:
    """Whether shares written with all their digits are fractions whose denominators are small: 0.142857142857 is 1 of 7."""
    long = [text for text in table.texts(column).drop_nulls().to_list() if re.fullmatch(r"\s*0?\.\d{9,}\s*", str(text))]
    small = [
        found
        for text in long
        if 2 < (found := Fraction(float(text)).limit_denominator(1000)).denominator < 2 * k
        and abs(float(found) - float(text)) < 1e-9
    ]
    return len(small) >= 2 and len(small) >= 0.5 * len(long)


def _is_total(table: Table, row: int) -> bool:
    return bool(re.match(r"^(?:all|total|sum|overall)", table.cell(row, 0), re.IGNORECASE)) or row == table.height - 1
