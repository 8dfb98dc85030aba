"""Finds rows of a source in a table: columns aligned by what they hold, tuples joined, hits weighed against chance.

Two nulls. Columns permuted: the table's own values, each column shuffled by itself, show how many tuples meet by chance.
Would another person match as well: a tuple that k or more people share tells of none of them, and is not counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from egress_review.index_columns import Hashes, Prints, fingerprints, short
from egress_review.source_index import Column, SourceIndex
from egress_review.tables import Table

Ints = npt.NDArray[np.int64]

MAX_ROWS = 20_000  # of an output that are looked at; more are sampled
SEARCH_ROWS = 600  # of those, for finding which column is which
MAX_PAIRS = 1_500_000
SEARCH_PAIRS = 120_000
SEARCH_SECONDS = 4.0  # for one table; what was found by then counts
OPTIONS = 6  # source columns that are tried for a column of the output
MAX_COLUMNS = 80


@dataclass(frozen=True)
class Leak:
    """What was found in one table: aligned columns and how many rows tell of how many people."""

    dataset: str
    where: str
    columns: list[tuple[str, str]]  # (in the output, in the source)
    rows: int  # of the output that were looked at
    hits: int  # rows that match anyone
    unique: int  # rows that match exactly one person
    few: int  # rows that match fewer than k people
    people: int  # different people who are matched by such rows
    by_chance: float  # rows matching fewer than k people when columns are permuted


@dataclass
class _Output:
    """A column of the output in all its forms."""

    place: int
    name: str
    exact: Hashes
    exact_print: Prints
    coarse_print: Prints
    numeric: bool
    distinct: int


@dataclass
class _Pairing:
    """An output column laid upon a source column; `coarse` when only three digits agree."""

    output: int
    source: int
    coarse: bool
    contained: float
    chance: float
    likelihood: float


@dataclass
class _Alignment:
    chosen: list[_Pairing] = field(default_factory=list)
    rows_held: int = 0


def _outputs(index: SourceIndex, table: Table, rows: Ints | None) -> list[_Output]:
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
            _Output(
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


def _pairings(index: SourceIndex, outputs: list[_Output]) -> list[_Pairing]:
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
            found.append(_Pairing(o, s, use_coarse, contained, chance, likelihood))
    kept = []
    for o in range(len(outputs)):
        mine = sorted((p for p in found if p.output == o), key=lambda p: -p.likelihood)
        kept += mine[:OPTIONS]
    return kept


def _source_print(column: Column, coarse: bool) -> Prints:
    return column.coarse if coarse else column.exact


def _output_print(output: _Output, coarse: bool) -> Prints:
    return output.coarse_print if coarse else output.exact_print


def _combine(prints: list[Prints]) -> npt.NDArray[np.uint64]:
    keys = np.zeros(len(prints[0]), dtype=np.uint64)
    for one in prints:
        keys = (keys ^ one.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys


def _source_rows(index: SourceIndex, outputs: list[_Output], chosen: list[_Pairing], rows: Ints) -> Ints:
    """Source rows whose value occurs in the output, in each of the chosen columns; the choosiest column first."""
    order = sorted(chosen, key=lambda p: p.chance)
    kept: Ints | None = None
    for pairing in order:
        output, column = outputs[pairing.output], index.columns[pairing.source]
        wanted = np.zeros(1 << 16, dtype=np.bool_)
        wanted[_output_print(output, pairing.coarse)[rows]] = True
        wanted[0] = False
        prints = _source_print(column, pairing.coarse)
        kept = np.flatnonzero(wanted[prints]) if kept is None else kept[wanted[prints[kept]]]
    return kept if kept is not None else np.empty(0, dtype=np.int64)


@dataclass
class _Sought:
    """Source rows under an alignment, in the order of their combined keys."""

    source: Ints
    keys: npt.NDArray[np.uint64]


def _seek(index: SourceIndex, outputs: list[_Output], chosen: list[_Pairing], rows: Ints) -> _Sought:
    """The source rows that can match any of `rows`; the same for permuted columns, which hold the same values."""
    source = _source_rows(index, outputs, chosen, rows)
    keys = _combine([_source_print(index.columns[p.source], p.coarse)[source] for p in chosen])
    order = np.argsort(keys, kind="stable")
    return _Sought(source[order], keys[order])


def _join(outputs: list[_Output], chosen: list[_Pairing], rows: Ints, sought: _Sought) -> tuple[Ints, Ints] | None:
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


def _seeds(index: SourceIndex, pairings: list[_Pairing]) -> list[list[_Pairing]]:
    """Where to start: single columns of many values, and two or three of few values that fit their source best."""
    singles = sorted((p for p in pairings if p.contained * p.chance >= 0), key=lambda p: (p.chance, -p.likelihood))
    seeds: list[list[_Pairing]] = [[p] for p in singles if p.chance < 2e-3 or p.chance * index.rows < 60][:8]
    by_output: dict[int, list[_Pairing]] = {}
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
        taken: list[_Pairing] = []
        for options in ranked:
            free = [p for p in options if p.source not in {t.source for t in taken}]
            if free:
                taken.append(free[0])
            if len(taken) == size:
                seeds.append(list(taken))
                break
    return seeds[:40]


def _grow(
    index: SourceIndex, outputs: list[_Output], pairings: list[_Pairing], seed: list[_Pairing], rows: Ints
) -> _Alignment | None:
    """Adds column after column, each the one that keeps more rows together than chance would."""
    joined = _join(outputs, seed, rows, _seek(index, outputs, seed, rows))
    if joined is None or len(joined[0]) == 0:
        return None
    left, right = joined
    if len(left) > SEARCH_PAIRS:
        # Whole rows are kept or left out: a row with half its pairs would look like one that matches nobody.
        some = np.unique(left)[:: -(-len(left) // SEARCH_PAIRS)]
        part = np.isin(left, some)
        left, right = left[part], right[part]
    held_of_all = len(np.unique(joined[0])) / max(1, len(np.unique(left)))
    chosen = list(seed)
    while True:
        best: tuple[float, _Pairing, npt.NDArray[np.bool_]] | None = None
        held = len(np.unique(left))
        if held < 3:
            break
        _, inverse, multiplicity = np.unique(left, return_inverse=True, return_counts=True)
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
            if excess < 3 and not (kept == held and kept > by_chance + 0.5 and multiplicity.max() > 1):
                continue
            value = excess * max(0.1, -np.log(max(pairing.chance, 1e-9))) ** 0.5
            if best is None or value > best[0]:
                best = (value, pairing, agree)
        if best is None:
            break
        chosen.append(best[1])
        left, right = left[best[2]], right[best[2]]
    return _Alignment(chosen, int(len(np.unique(left)) * held_of_all))


def _align(
    index: SourceIndex, outputs: list[_Output], rows: Ints, seconds: float = SEARCH_SECONDS
) -> _Alignment | None:
    pairings = _pairings(index, outputs)
    best: tuple[float, _Alignment] | None = None
    until = time.monotonic() + seconds
    for seed in _seeds(index, pairings):
        if time.monotonic() > until:
            break
        found = _grow(index, outputs, pairings, seed, rows)
        if found is None or len(found.chosen) < 2:
            continue
        # Bits by which a row's match beats chance, over the rows that still match.
        bits = sum(-np.log2(max(p.chance, 1e-9)) for p in found.chosen) - np.log2(max(2, index.rows))
        value = found.rows_held * max(bits, 0.01)
        if best is None or value > best[0]:
            best = (value, found)
        if found.rows_held > 0.9 * len(rows) and bits > 30:
            break
    return best[1] if best else None


def _weigh(
    outputs: list[_Output], chosen: list[_Pairing], k: int, rows: Ints, sought: _Sought
) -> tuple[int, int, int, int]:
    """(hits, unique, few, people) of the output's rows under this alignment."""
    joined = _join(outputs, chosen, rows, sought)
    if joined is None:
        return 0, 0, 0, 0
    left, right = joined
    matched, counts = np.unique(left, return_counts=True)
    few = matched[counts < k]
    people = np.unique(right[np.isin(left, few)])
    # The same tuple again and again tells of one person once.
    return len(matched), int((counts == 1).sum()), len(few), len(people)


def _surprise(hits: int, by_chance: float, rows: int) -> float:
    """How many standard deviations `hits` of `rows` lie above chance, with half a row of doubt."""
    share = min(max(by_chance, 0.5) / rows, 1.0)
    return float((hits - rows * share) / np.sqrt(max(rows * share * (1 - share), 0.25)))


def _permuted(outputs: list[_Output], generator: np.random.Generator) -> list[_Output]:
    shuffled = []
    for output in outputs:
        order = generator.permutation(len(output.exact))
        shuffled.append(
            _Output(
                output.place,
                output.name,
                output.exact[order],
                output.exact_print[order],
                output.coarse_print[order],
                output.numeric,
                output.distinct,
            )
        )
    return shuffled


def find(index: SourceIndex, table: Table, k: int) -> Leak | None:
    """The leak in this table, or None; `k` people or more who share a tuple hide in each other."""
    if table.height < 3 or table.width < 2:
        return None
    generator = np.random.default_rng(0)
    chosen_rows = np.sort(generator.choice(table.height, MAX_ROWS, replace=False)) if table.height > MAX_ROWS else None
    outputs = _outputs(index, table, chosen_rows)
    if len(outputs) < 2:
        return None
    rows = np.arange(len(outputs[0].exact), dtype=np.int64)
    search = np.sort(generator.choice(rows, SEARCH_ROWS, replace=False)) if len(rows) > SEARCH_ROWS else rows
    found = _align(index, outputs, search)
    if found is None and len(search) < len(rows):
        found = _align(index, outputs, rows[:: max(1, len(rows) // 6000)])
    if found is None:
        return None
    sought = _seek(index, outputs, found.chosen, rows)
    hits, unique, few, people = _weigh(outputs, found.chosen, k, rows, sought)
    if few < 3 or people < 3:
        return None
    noises = [_weigh(_permuted(outputs, generator), found.chosen, k, rows, sought) for _ in range(5)]
    by_chance = float(np.mean([noise[2] for noise in noises]))
    by_chance_any = float(np.mean([noise[0] for noise in noises]))
    more_few = few >= 3 * by_chance + 3 * np.sqrt(by_chance) + 2
    more_any = len(rows) >= 20 and _surprise(hits, by_chance_any, len(rows)) > 6
    if not (more_few or more_any):
        return None
    overwhelming = few >= 15 and few > 20 * (by_chance + 0.1) and len(found.chosen) >= 3
    if not overwhelming:
        # Searching finds something in noise too: search permuted tables as hard.
        worst = worst_any = 0
        for _ in range(5):
            noise = _permuted(outputs, generator)
            other = _align(index, noise, search, SEARCH_SECONDS / 3)
            if other is not None:
                seeking = _seek(index, noise, other.chosen, rows)
                any_hits, _, few_hits, _ = _weigh(noise, other.chosen, k, rows, seeking)
                worst, worst_any = max(worst, few_hits), max(worst_any, any_hits)
        if few < 1.5 * worst + 2 and not (more_any and _surprise(hits, worst_any, len(rows)) > 6):
            return None
        by_chance = max(by_chance, float(worst)) if few >= 1.5 * worst + 2 else by_chance
    names = [
        (outputs[p.output].name, index.columns[p.source].name)
        for p in sorted(found.chosen, key=lambda p: outputs[p.output].place)
    ]
    return Leak(index.dataset, table.where, names, len(rows), hits, unique, few, people, by_chance)


def find_values(index: SourceIndex, table: Table) -> list[tuple[str, str, int, float, float]]:
    """Single columns whose values are those of a source column of many values: (output, source, values, held, by chance).

    The null: the same values, each moved by a few units of its last digit, as another person's would be.
    """
    found = []
    generator = np.random.default_rng(0)
    for place in range(min(table.width, MAX_COLUMNS)):
        series = table.columns[place]
        if table.height > MAX_ROWS:
            series = series.gather(pl.Series(np.sort(generator.choice(table.height, MAX_ROWS, replace=False))))
        prints = fingerprints(series, index.key)
        exact = prints.exact[prints.exact != 0]
        values = np.unique(exact)
        if len(values) < 15:
            continue
        moved = _moved(table, place, generator, index) if prints.numeric else None
        for column in index.columns:
            if column.distinct < 200 or column.numeric != prints.numeric:
                continue
            held = float(column.holds(values).mean())
            if held < 0.05 or held * len(values) < 12:
                continue
            chance = float(column.holds(moved).mean()) if moved is not None and len(moved) else 0.02
            if held * len(values) > 12 and held > 4 * chance + 0.02 and (held > 0.5 or held * len(values) >= 30):
                found.append(
                    (table.header[place] or f"column {place + 1}", column.name, int(held * len(values)), held, chance)
                )
    return found


def _moved(table: Table, place: int, generator: np.random.Generator, index: SourceIndex) -> Hashes:
    values = table.numbers(place)
    values = np.unique(values[~np.isnan(values)])[:MAX_ROWS]
    decimals = 0
    for text in table.texts(place).drop_nulls().head(200).to_list():
        if "." in text and "e" not in text.lower():
            decimals = max(decimals, len(text.split(".")[1]))
    unit = 10.0 ** -min(decimals, 12)
    steps = generator.integers(1, 12, size=(3, len(values))) * generator.choice([-1, 1], size=(3, len(values)))
    others = np.round(np.concatenate([values + unit * step for step in steps]), min(decimals, 12))
    others = others[~np.isin(others, values)]
    return fingerprints(pl.Series(others), index.key).exact
