"""Statistics of a source column over groups, and who contributes how much to them. Arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from access_control.settings import Profile
from egress_review.source_table import Codes, Floats, Marks

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NAMES = ("count", "sum", "mean", "sd", "median", "minimum", "maximum")
QUICK = ("count", "sum", "mean")  # from sums alone; the others want another look at all values


@dataclass
class Statistics:
    """One column over groups: an array a statistic, a place a group. `spread` is the standard deviation of all."""

    n: Ints
    values: dict[str, Floats]
    spread: float
    grain: float  # what all values are multiples of; 0 where they are not whole


def slow_statistics(made: Statistics, codes: Codes, numbers: Floats) -> None:
    """Fills in what wants another look at all values: deviations, medians and ends. Memory: two more such columns."""
    if "median" in made.values:
        return
    size = len(made.n)
    used = np.flatnonzero((codes >= 0) & ~np.isnan(numbers))
    places = codes[used]
    order = used[np.argsort(places.astype(np.uint16) if size < 1 << 16 else places, kind="stable")]
    ends = np.cumsum(made.n)
    for name in ("sd", "median", "minimum", "maximum"):
        made.values[name] = np.full(size, np.nan)
    for group in np.flatnonzero(made.n):
        x = numbers[order[ends[group] - made.n[group] : ends[group]]]
        made.values["minimum"][group], made.values["maximum"][group] = x.min(), x.max()
        made.values["median"][group] = np.median(x)
        made.values["sd"][group] = x.std(ddof=1) if len(x) > 1 else np.nan


@dataclass(frozen=True)
class Measure:
    """What is true of a column of numbers whatever the groups."""

    known: Mask | None  # which rows are not empty; None where none is
    spread: float
    grain: float


def measure(numbers: Floats) -> Measure:
    """What is worked out of a column once, for all groupings."""
    known = ~np.isnan(numbers)
    filled = None if bool(known.all()) else known
    x = numbers if filled is None else numbers[known]
    whole = bool((x[:10_000] == np.rint(x[:10_000])).all()) and bool((x == np.rint(x)).all())
    return Measure(filled, float(x.std()) if len(x) else 0.0, 1.0 if whole else 0.0)


def count_rows(codes: Codes, size: int) -> Statistics:
    """The number of rows of each group, and nothing else."""
    n = np.bincount(codes + np.int32(1), minlength=size + 1)[1:]
    return Statistics(n, {"count": n.astype(np.float64)}, 0.0, 1.0)


def statistics(codes: Codes, size: int, numbers: Floats, column: Measure) -> Statistics:
    """`codes` are each row's group, below `size`; rows of -1, and empty values, count for nothing."""
    g, x = codes, numbers
    if column.known is not None:
        g, x = g[column.known], x[column.known]
    places = (g + np.int32(1)).astype(np.int64)  # the first place is for rows of no group
    n = np.bincount(places, minlength=size + 1)[1:]
    total: Floats = np.bincount(places, weights=x, minlength=size + 1)[1:].astype(np.float64)
    total[n == 0] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        mean: Floats = total / n
    return Statistics(n, {"count": n.astype(np.float64), "sum": total, "mean": mean}, column.spread, column.grain)


@dataclass(frozen=True)
class Contributors:
    """For each group: how many units stand behind it, and what the rules of dominance say of its sum."""

    units: Ints
    dominated: Mask  # the n largest hold the share of the profile, or one holds that of the largest alone
    share: Floats  # of the n largest, 0 to 1, where it is dominated
    estimable: Mask  # the p-percent rule: the rest is less than p % of the largest
    ones: Ints  # units of value 1, of a column of zeros and ones


def contributors(
    codes: Codes, size: int, numbers: Floats | None, units: Marks | None, profile: Profile
) -> Contributors:
    """Who contributes to the sums of `numbers` over the groups; without numbers, to their counts.

    (n, k)-dominance and p-percent after the SDC Handbook; contributions that may be negative count by their size. What
    one unit contributes in several rows is added up first.
    """
    used = codes >= 0
    if numbers is not None:
        used &= ~np.isnan(numbers)
    g, x, u = codes, numbers, units
    if not bool(used.all()):
        g, x, u = g[used], None if x is None else x[used], None if u is None else u[used]
    if x is None:
        x = np.ones(len(g))
    if u is not None:
        g, x = _by_unit(g, x, u)
    n = np.bincount(g, minlength=size)
    none = np.zeros(size, dtype=np.bool_)
    if numbers is None:
        return Contributors(n, none, np.zeros(size), none, n)
    ones = np.bincount(g, weights=x != 0, minlength=size).astype(np.int64)
    x = np.abs(x)
    total = np.bincount(g, weights=x, minlength=size)
    limit, p = profile.dominance_percent / 100, profile.p_percent / 100
    # A rule can only be broken where the largest holds this much: at most a few rows a group do.
    least = min(limit / profile.dominance_n, 1 / (2 + p))
    suspect = np.zeros(size, dtype=np.bool_)
    suspect[g[(x >= least * 0.999999 * total[g]) & (total[g] > 0)]] = True
    dominated, estimable, share = none.copy(), none.copy(), np.zeros(size)
    rows = suspect[g]
    if rows.any():
        many = max(profile.dominance_n, 2)
        top = pl.DataFrame({"g": g[rows], "x": x[rows]}).group_by("g").agg(pl.col("x").top_k(many))
        for group, largest in zip(top["g"].to_list(), top["x"].to_list(), strict=True):
            whole = total[group]
            held = sorted(largest, reverse=True)
            share[group] = sum(held[: profile.dominance_n]) / whole
            dominated[group] = share[group] >= limit * (1 - 1e-12)
            estimable[group] = len(held) > 1 and whole - held[0] - held[1] < p * held[0]
    return Contributors(n, dominated, share, estimable, ones)


def _by_unit(g: Codes, x: Floats, units: Marks) -> tuple[Codes, Floats]:
    """The sum of each unit in each group. Two pairs would have to share 64 bits to be taken for one."""
    pairs = units ^ (g.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    order = np.argsort(pairs)
    pairs = pairs[order]
    starts = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1]))) if len(pairs) else np.empty(0, np.int64)
    del pairs
    return g[order[starts]], np.add.reduceat(x[order], starts) if len(starts) else np.empty(0)
