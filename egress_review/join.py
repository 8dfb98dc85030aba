"""Finds rows of a source in a table: columns aligned by what they hold, tuples joined, hits weighed against chance.

Two nulls. Columns permuted: the table's own values, each column shuffled by itself, show how many tuples meet by chance.
Would another person match as well: a tuple that k or more people share tells of none of them, and is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from egress_review.alignment import (
    MAX_COLUMNS,
    SEARCH_SECONDS,
    Ints,
    Output,
    Pairing,
    Sought,
    align,
    bits_of,
    join_rows,
    outputs_of,
    seek,
)
from egress_review.index_columns import Hashes, fingerprints
from egress_review.source_index import SourceIndex
from egress_review.table import Table

MAX_ROWS = 20_000  # of an output that are looked at; more are sampled
SEARCH_ROWS = 600  # of those, for finding which column is which


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


def _weigh(
    outputs: list[Output], chosen: list[Pairing], k: int, rows: Ints, sought: Sought
) -> tuple[int, int, int, int]:
    """(hits, unique, few, people) of the output's rows under this alignment."""
    joined = join_rows(outputs, chosen, rows, sought)
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


def _permuted(outputs: list[Output], generator: np.random.Generator) -> list[Output]:
    shuffled = []
    for output in outputs:
        order = generator.permutation(len(output.exact))
        shuffled.append(
            Output(
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
    outputs = outputs_of(index, table, chosen_rows)
    if len(outputs) < 2:
        return None
    rows = np.arange(len(outputs[0].exact), dtype=np.int64)
    search = np.sort(generator.choice(rows, SEARCH_ROWS, replace=False)) if len(rows) > SEARCH_ROWS else rows
    found = align(index, outputs, search)
    if found is None and len(search) < len(rows):
        found = align(index, outputs, rows[:: max(1, len(rows) // 6000)])
    if found is None:
        return None
    sought = seek(index, outputs, found.chosen, rows)
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
        weight = few * bits_of(index, found)  # few rows of many columns weigh as much as many rows of few
        heaviest = 0.0
        for _ in range(5):
            noise = _permuted(outputs, generator)
            other = align(index, noise, search, SEARCH_SECONDS / 3)
            if other is not None:
                seeking = seek(index, noise, other.chosen, rows)
                any_hits, _, few_hits, _ = _weigh(noise, other.chosen, k, rows, seeking)
                worst, worst_any = max(worst, few_hits), max(worst_any, any_hits)
                heaviest = max(heaviest, few_hits * bits_of(index, other))
        full = few >= max(4, 0.8 * len(rows)) and len(found.chosen) >= 4 and weight > 2 * heaviest + 60
        if few < 1.5 * worst + 2 and not full and not (more_any and _surprise(hits, worst_any, len(rows)) > 6):
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
