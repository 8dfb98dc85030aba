"""Statistics of a source column over groups, and who contributes how much to them. Arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
    codes: Codes = field(repr=False)
    numbers: Floats = field(repr=False)

    def of(self, name: str) -> Floats:
        """The statistic of this name, computed when it is first wanted."""
        if name not in self.values:
            slow_statistics([self])
        return self.values[name]


def slow_statistics(columns: Sequence[Statistics]) -> None:
    """Fills in, for columns of one grouping, what wants another look at all values: deviations, medians and ends."""
    missing = [column for column in columns if "median" not in column.values]
    if not missing:
        return
    frame = pl.DataFrame({"g": missing[0].codes, **{str(place): each.numbers for place, each in enumerate(missing)}})
    wanted = []
    for place in range(len(missing)):
        x = pl.col(str(place)).fill_nan(None)
        made = {"sd": x.std(), "median": x.median(), "minimum": x.min(), "maximum": x.max()}
        wanted += [each.alias(f"{name} {place}") for name, each in made.items()]
    found = frame.filter(pl.col("g") >= 0).group_by("g").agg(wanted)
    groups = found["g"].to_numpy()
    for place, column in enumerate(missing):
        for name in ("sd", "median", "minimum", "maximum"):
            column.values[name] = np.full(len(column.n), np.nan)
            column.values[name][groups] = found[f"{name} {place}"].fill_null(float("nan")).to_numpy()


@dataclass(frozen=True)
class Measure:
    """A column of numbers, and what is true of all of it."""

    numbers: Floats
    known: Mask | None  # which are not empty; None where none is
    spread: float
    grain: float


def measure(numbers: Floats) -> Measure:
    """What is worked out of a column once, for all groupings."""
    known = ~np.isnan(numbers)
    filled = None if bool(known.all()) else known
    x = numbers if filled is None else numbers[known]
    whole = bool((x[:10_000] == np.rint(x[:10_000])).all()) and bool((x == np.rint(x)).all())
    return Measure(numbers, filled, float(x.std()) if len(x) else 0.0, 1.0 if whole else 0.0)


def count_rows(codes: Codes, size: int) -> Statistics:
    """The number of rows of each group, and nothing else."""
    n = np.bincount(codes + np.int32(1), minlength=size + 1)[1:]
    return Statistics(n, {"count": n.astype(np.float64)}, 0.0, 1.0, codes, np.empty(0))


def statistics(codes: Codes, size: int, column: Measure) -> Statistics:
    """`codes` are each row's group, below `size`; rows of -1, and empty values, count for nothing."""
    g, x = codes, column.numbers
    if column.known is not None:
        g, x = g[column.known], x[column.known]
    g = g + np.int32(1)  # the first place is for rows of no group
    n = np.bincount(g, minlength=size + 1)[1:]
    total: Floats = np.bincount(g, weights=x, minlength=size + 1)[1:].astype(np.float64)
    total[n == 0] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        mean: Floats = total / n
    values: dict[str, Floats] = {"count": n.astype(np.float64), "sum": total, "mean": mean}
    return Statistics(n, values, column.spread, column.grain, codes, column.numbers)


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
    g = codes[used]
    x = np.ones(len(g)) if numbers is None else numbers[used]
    if units is not None:
        frame = pl.DataFrame({"g": g, "u": units[used], "x": x}).group_by("g", "u").agg(pl.col("x").sum())
        g, x = frame["g"].to_numpy(), frame["x"].to_numpy()
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
