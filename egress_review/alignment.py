"""Lays the columns of a table upon those of a source by what they hold, and joins their rows."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from egress_review.index_columns import Hashes, Prints, fingerprints, short
from egress_review.source_index import Column, SourceIndex
from egress_review.table import Table

Ints = npt.NDArray[np.int64]

MAX_PAIRS = 1_500_000
SEARCH_PAIRS = 120_000
SEARCH_SECONDS = 4.0  # for one table; what was found by then counts
OPTIONS = 6  # source columns that are tried for a column of the output
MAX_COLUMNS = 80


@dataclass
class Output:
    """A column of the output in all its forms."""

    place: int
    name: str
    exact: Hashes
    exact_print: Prints
    coarse_print: Prints
    numeric: bool
    distinct: int


@dataclass
class Pairing:
    """An output column laid upon a source column; `coarse` when only three digits agree."""

    output: int
    source: int
    coarse: bool
    contained: float
    chance: float
    likelihood: float


@dataclass
class Alignment:
    """Output columns laid upon source columns, and how many rows of the output hold together under it."""

    chosen: list[Pairing] = field(default_factory=list)
    rows_held: int = 0


def outputs_of(index: SourceIndex, table: Table, rows: Ints | None) -> list[Output]:
    """The columns of a table that hold at least two values, hashed as the index is; `rows` picks some."""
    found = []
    for place in range(min(table.width, MAX_COLUMNS)):
        series = table.columns[place]
        if rows is not None:
            series = series.gather(pl.Series(rows))
        prints = fingerprints(series, index.key)
        filled = prints.exact[prints.exact != 0]
        if len(filled) < 3:
            continue
        distinct = len(np.unique(filled))
        if distinct < 2:
            continue
        name = table.header[place] or f"column {place + 1}"
        exact_print = short(prints.exact)
        found.append(
            Output(
                place,
                name,
                prints.exact,
                exact_print,
                exact_print if prints.same else short(prints.coarse),
                prints.numeric,
                distinct,
            )
        )
    return found


def _pairings(index: SourceIndex, outputs: list[Output]) -> list[Pairing]:
    found = []
    for o, output in enumerate(outputs):
        filled = output.exact != 0
        for s, column in enumerate(index.columns):
            if column.numeric != output.numeric and column.distinct > 50 and output.distinct > 50:
                continue
            exact = float(column.holds(output.exact[filled]).mean())
            coarse_counts = column.coarse_counts[output.coarse_print[filled]]
            coarse = float((coarse_counts > 0).mean())
            use_coarse = bool(output.numeric and coarse > 1.25 * exact + 0.01 and column.coarse is not column.exact)
            contained = coarse if use_coarse else exact
            if contained * int(filled.sum()) < 3 or (contained < 0.25 and (use_coarse or column.distinct < 500)):
                continue
            counts = coarse_counts if use_coarse else column.exact_counts[output.exact_print[filled]]
            table = column.coarse_counts if use_coarse else column.exact_counts
            total = max(1.0, float(index.rows))
            chance = float(np.square(table[1:].astype(np.float64) / total).sum())
            likelihood = float(np.log((counts + 0.05) / total).mean())
            found.append(Pairing(o, s, use_coarse, contained, chance, likelihood))
    kept = []
    for o in range(len(outputs)):
        mine = sorted((p for p in found if p.output == o), key=lambda p: -p.likelihood)
        kept += mine[:OPTIONS]
    return kept


def _source_print(column: Column, coarse: bool) -> Prints:
    return column.coarse if coarse else column.exact


def _output_print(output: Output, coarse: bool) -> Prints:
    return output.coarse_print if coarse else output.exact_print


def _combine(prints: list[Prints]) -> npt.NDArray[np.uint64]:
    keys = np.zeros(len(prints[0]), dtype=np.uint64)
    for one in prints:
        keys = (keys ^ one.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys


def _source_rows(index: SourceIndex, outputs: list[Output], chosen: list[Pairing], rows: Ints) -> Ints:
    """Source rows whose value occurs in the output, in each of the chosen columns; the choosiest column first."""
    order = sorted(chosen, key=lambda p: p.chance)
    kept: Ints | None = None
    for pairing in order:
        output, column = outputs[pairing.output], index.columns[pairing.source]
        wanted = np.zeros(1 << 16, dtype=np.bool_)
        wanted[_output_print(output, pairing.coarse)[rows]] = True
        wanted[0] = False
        if kept is None:
            kept = column.rows_among(wanted, coarse=pairing.coarse)
        else:
            kept = kept[wanted[_source_print(column, pairing.coarse)[kept]]]
    return kept if kept is not None else np.empty(0, dtype=np.int64)


@dataclass
class Sought:
    """Source rows under an alignment, in the order of their combined keys."""

    source: Ints
    keys: npt.NDArray[np.uint64]


def seek(index: SourceIndex, outputs: list[Output], chosen: list[Pairing], rows: Ints) -> Sought:
    """The source rows that can match any of `rows`; the same for permuted columns, which hold the same values."""
    source = _source_rows(index, outputs, chosen, rows)
    keys = _combine([_source_print(index.columns[p.source], p.coarse)[source] for p in chosen])
    order = np.argsort(keys, kind="stable")
    return Sought(source[order], keys[order])


def join_rows(outputs: list[Output], chosen: list[Pairing], rows: Ints, sought: Sought) -> tuple[Ints, Ints] | None:
    """(output row, source row) of all matches; None when there are too many to be worth it."""
    full = np.ones(len(rows), dtype=np.bool_)
    for pairing in chosen:
        full &= _output_print(outputs[pairing.output], pairing.coarse)[rows] != 0
    rows = rows[full]
    left = _combine([_output_print(outputs[p.output], p.coarse)[rows] for p in chosen])
    low, high = np.searchsorted(sought.keys, left, "left"), np.searchsorted(sought.keys, left, "right")
    counts = high - low
    total = int(counts.sum())
    if total > MAX_PAIRS:
        return None
    starts = (
        np.repeat(low - np.concatenate(([0], np.cumsum(counts)[:-1])), counts) if total else np.empty(0, dtype=np.int64)
    )
    return np.repeat(rows, counts), sought.source[starts + np.arange(total)]


def _seeds(index: SourceIndex, pairings: list[Pairing]) -> list[list[Pairing]]:
    """Where to start: single columns of many values, and two or three of few values that fit their source best."""
    singles = sorted((p for p in pairings if p.contained * p.chance >= 0), key=lambda p: (p.chance, -p.likelihood))
    seeds: list[list[Pairing]] = [[p] for p in singles if p.chance < 2e-3 or p.chance * index.rows < 60][:8]
    by_output: dict[int, list[Pairing]] = {}
    for pairing in pairings:
        by_output.setdefault(pairing.output, []).append(pairing)
    for options in by_output.values():
        options.sort(key=lambda p: -p.likelihood)
    ranked = sorted(by_output.values(), key=lambda options: min(p.chance for p in options[:2]))
    firsts = ranked[:4]
    for a in range(len(firsts)):
        for b in range(a + 1, len(firsts)):
            for one in firsts[a][:2]:
                for two in firsts[b][:2]:
                    if one.source != two.source:
                        seeds.append([one, two])
    for size in (3, 4, 6):
        taken: list[Pairing] = []
        for options in ranked:
            free = [p for p in options if p.source not in {t.source for t in taken}]
            if free:
                taken.append(free[0])
            if len(taken) == size:
                seeds.append(list(taken))
                break
    return seeds[:40]


def _grow(
    index: SourceIndex, outputs: list[Output], pairings: list[Pairing], seed: list[Pairing], rows: Ints
) -> Alignment | None:
    """Adds column after column, each the one that keeps more rows together than chance would."""
    joined = join_rows(outputs, seed, rows, seek(index, outputs, seed, rows))
    if joined is None or len(joined[0]) == 0:
        return None
    left, right = joined
    if len(left) > SEARCH_PAIRS:
        # Whole rows are kept or left out: a row with half its pairs would look like one that matches nobody.
        some = np.unique(left)[:: -(-len(left) // SEARCH_PAIRS)]
        part = np.isin(left, some)
        left, right = left[part], right[part]
    held_of_all = _different(joined[0]) / max(1, _different(left))
    chosen = list(seed)
    while True:
        best: tuple[float, Pairing, npt.NDArray[np.bool_]] | None = None
        inverse = np.cumsum(_begins(left)) - 1
        held = int(inverse[-1]) + 1 if len(inverse) else 0
        if held < 3:
            break
        most = int(np.bincount(inverse).max())
        for pairing in pairings:
            if any(p.output == pairing.output or p.source == pairing.source for p in chosen):
                continue
            values = _output_print(outputs[pairing.output], pairing.coarse)
            agree = (_source_print(index.columns[pairing.source], pairing.coarse)[right] == values[left]) & (
                values[left] != 0
            )
            if not agree.any():
                continue
            agreeing = np.zeros(held, dtype=np.bool_)
            agreeing[inverse[agree]] = True
            kept = int(agreeing.sum())
            counts = (
                index.columns[pairing.source].coarse_counts
                if pairing.coarse
                else index.columns[pairing.source].exact_counts
            )[values]
            share = np.minimum(counts[left] / max(1, index.rows), 0.999)
            expected = np.bincount(inverse, weights=np.log1p(-share), minlength=held)
            by_chance = float((-np.expm1(expected)).sum())
            spread = max(1.0, np.sqrt(max(by_chance * (1 - by_chance / held), 0.25)))
            excess = (kept - by_chance) / spread
            if excess < 3 and not (kept == held and kept > by_chance + 0.5 and most > 1):
                continue
            value = excess * max(0.1, -np.log(max(pairing.chance, 1e-9))) ** 0.5
            if best is None or value > best[0]:
                best = (value, pairing, agree)
        if best is None:
            break
        chosen.append(best[1])
        left, right = left[best[2]], right[best[2]]
    return Alignment(chosen, int(_different(left) * held_of_all))


def _begins(ordered: Ints) -> npt.NDArray[np.bool_]:
    """Where another number begins; rows that were joined come in order, so that nothing has to be sorted."""
    begins = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
    return begins


def _different(ordered: Ints) -> int:
    return int(np.count_nonzero(_begins(ordered)))


def bits_of(index: SourceIndex, found: Alignment) -> float:
    """Bits by which the match of one row beats chance, over all the rows of the source that it could have met."""
    return float(sum(-np.log2(max(p.chance, 1e-9)) for p in found.chosen) - np.log2(max(2, index.rows)))


def align(index: SourceIndex, outputs: list[Output], rows: Ints, seconds: float = SEARCH_SECONDS) -> Alignment | None:
    """The alignment that tells most, or None; after `seconds` the best until then."""
    pairings = _pairings(index, outputs)
    best: tuple[float, Alignment] | None = None
    until = time.monotonic() + seconds
    for seed in _seeds(index, pairings):
        if time.monotonic() > until:
            break
        found = _grow(index, outputs, pairings, seed, rows)
        if found is None or len(found.chosen) < 2:
            continue
        bits = bits_of(index, found)
        value = found.rows_held * max(bits, 0.01)
        if best is None or value > best[0]:
            best = (value, found)
        if found.rows_held > 0.9 * len(rows) and bits > 30:
            break
    return best[1] if best else None
