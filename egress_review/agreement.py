"""Whether figures agree with statistics of a source, and by how much more than chance explains. Arrays in, numbers out.

A figure that agrees with the real one is worth as many bits as there are steps of its rounding within the spread that
it would have over other people of the same number. A line of figures has agreed when its bits are more than the number
of columns, statistics and groupings that were tried explains.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from egress_review.group_statistics import NAMES, Statistics
from egress_review.tables import Floats

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SCALES = (1.0, 1e3, 1e6, 0.01)  # as they are, in thousands, in millions, in percent
SHARE_HELD = 0.6  # of a line's cells that have to agree
BITS = 6.0  # beyond what the number of trials explains
MOST = 16.0  # bits of one figure
_WORDS = {
    "count": r"\bn\b|count|size|freq|obs|number|total",
    "sum": r"sum|total|turnover|amount|aggregate",
    "mean": r"mean|avg|average",
    "sd": r"\bsd\b|std|stdev|dev",
    "median": r"median|p50|50",
    "minimum": r"min|lowest|smallest",
    "maximum": r"max|highest|largest|top",
}


@dataclass(frozen=True)
class Trial:
    """A line's cells under a grouping; `steps` as shown, and as rounded to a base where that differs."""

    name: str
    values: Floats
    steps: tuple[Floats, ...]
    groups: Ints


@dataclass(frozen=True)
class Fit:
    """What a line agrees with, and by how many bits. `coarse`: only when its figures were rounded to a base."""

    bits: float
    column: str
    statistic: str
    scale: float
    coarse: bool


@dataclass(frozen=True)
class Columns:
    """Statistics of several columns over one grouping, one row a column."""

    names: Sequence[str]
    made: Sequence[Statistics]

    def at(self, statistic: str, groups: Ints) -> tuple[Floats, Floats, Floats, Floats]:
        """(figures, numbers behind them) by column and cell; (spread, grain) by column."""
        real = np.stack([each.values[statistic][groups] for each in self.made])
        n = np.maximum(np.stack([each.n[groups] for each in self.made]).astype(np.float64), 1)
        spread = np.array([[each.spread] for each in self.made])
        return real, n, spread, np.array([[each.grain] for each in self.made])


def best_fit(trial: Trial, columns: Columns, statistics: Sequence[str], tried: int) -> Fit | None:
    """What the line agrees with best among these, after `tried` trials; None when nothing is beyond chance."""
    best: Fit | None = None
    for statistic in statistics:
        real, n, spread, grain = columns.at(statistic, trial.groups)
        said = bool(re.search(_WORDS[statistic], trial.name, re.IGNORECASE))
        trials = tried * (1 if said else len(NAMES)) * len(trial.steps)
        for scale, (coarse, steps) in itertools.product(SCALES, enumerate(trial.steps)):
            held = agrees(trial.values, steps, real, scale)
            share = held.mean(axis=1)
            if not bool((share >= SHARE_HELD).any()):
                continue
            bits = np.where(held, worth(steps, real, n, spread, grain, statistic, scale), 0).sum(axis=1)
            bits[share < SHARE_HELD] = 0
            place = int(bits.argmax())
            need = BITS + np.log2(trials) + (0 if scale == 1 else 2)
            if bits[place] >= need and (best is None or bits[place] > best.bits):
                best = Fit(float(bits[place]), columns.names[place], statistic, scale, bool(coarse))
    return best


def agrees(values: Floats, steps: Floats, real: Floats, scale: float) -> Mask:
    """Which figures lie within a step of the real ones."""
    with np.errstate(invalid="ignore"):
        held: Mask = np.abs(values * scale - real) <= np.maximum(steps * scale, 1e-9 * np.abs(real)) * 1.0001
    return held


def worth(  # noqa: PLR0917 - arrays of one cell each
    steps: Floats, real: Floats, n: Floats, spread: Floats, grain: Floats, statistic: str, scale: float
) -> Floats:
    """How many bits each agreement is worth."""
    wide, own = _SPREADS[statistic](2.5 * spread, n, grain)
    step = np.maximum(np.maximum(steps * scale, 1e-9 * np.abs(real)), own)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.log2(wide / (2 * step))
    clipped: Floats = np.clip(np.nan_to_num(bits, nan=0.0, posinf=MOST, neginf=0.0), 0, MOST)
    return clipped


# How far the statistic of n people varies, as the width of a box of the same density; and its own grain.
_SPREADS: dict[str, Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]] = {
    "count": lambda _wide, n, _grain: (2.5 * np.sqrt(n), 0.5 * np.ones_like(n)),
    "sum": lambda wide, n, grain: (wide * np.sqrt(n), grain / 2 * np.ones_like(n)),
    "mean": lambda wide, n, grain: (wide / np.sqrt(n), grain / (2 * n)),
    "sd": lambda wide, n, _grain: (wide / np.sqrt(2 * n), np.zeros_like(n)),
    "median": lambda wide, n, grain: (1.25 * wide / np.sqrt(n), grain / 4 * np.ones_like(n)),
    "minimum": lambda wide, n, grain: (wide * np.ones_like(n), grain / 2 * np.ones_like(n)),
    "maximum": lambda wide, n, grain: (wide * np.ones_like(n), grain / 2 * np.ones_like(n)),
}
