"""Canonical values of a column as keyed fingerprints: numbers to 12 and to 3 significant digits, text case-folded, days in ISO form.

A fingerprint is the top of a 64-bit keyed hash. The same value gives the same one whether it comes from Parquet, CSV or
a printed table, so an output can be compared with a source without keeping the source's values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from egress_review.index_numbers import (
    COARSE_DIGITS,
    Floats,
    Hashes,
    Key,
    Prints,
    canonical_numbers,
    coarse_is_exact,
    hash_numbers,
    round_significant,
    short,
)
from egress_review.index_tables import PlainNumbers, SmallNumbers
from egress_review.index_texts import canonical_text, text_hashes

__all__ = ["Fingerprints", "Hashes", "Key", "PlainNumbers", "Prints", "SmallNumbers", "canonical_text", "fingerprints",
           "round_significant", "short"]  # fmt: skip


@dataclass
class Fingerprints:
    """A column's hashes: `exact`, and `coarse` for numbers (the same array where 3 digits say all)."""

    exact: Hashes
    coarse: Hashes
    numeric: bool
    same: bool  # coarse is exact


def fingerprints(series: pl.Series, key: Key, *, distinct: bool = False) -> Fingerprints:
    """The hashes of a column of any type; nested columns are compared as text. `distinct`: no need to look for doubles."""
    dtype = series.dtype
    if dtype.is_numeric() or dtype == pl.Boolean:
        values = series.cast(pl.Float64, strict=False)
        return _of_numbers((values.fill_null(float("nan")) if values.null_count() else values).to_numpy(), key)
    if dtype == pl.Date or dtype.is_temporal():
        series = series.cast(pl.String, strict=False)
    elif dtype != pl.String:
        series = (
            series.cast(pl.String, strict=False)
            if not dtype.is_nested()
            else pl.Series([str(v) for v in series.to_list()], dtype=pl.String)
        )
    return _of_texts(series, key, distinct=distinct)


def _of_numbers(values: Floats, key: Key) -> Fingerprints:
    exact = hash_numbers(canonical_numbers(values), key)
    if coarse_is_exact(values):
        return Fingerprints(exact, exact, numeric=True, same=True)
    return Fingerprints(exact, hash_numbers(round_significant(values, COARSE_DIGITS), key), numeric=True, same=False)


def _of_texts(series: pl.Series, key: Key, *, distinct: bool) -> Fingerprints:
    """Text cells: those that are numbers are hashed as numbers, so that types need not agree."""
    codes = None
    unique = series if distinct else series.unique(maintain_order=True)
    if 2 * len(unique) > len(series):
        unique = series
    else:
        numbered = unique.to_frame("v").with_row_index("i")
        joined = series.to_frame("v").join(numbered, on="v", how="left", nulls_equal=True, maintain_order="left")
        codes = joined["i"].to_numpy()
    values = _as_numbers(unique)
    others = np.flatnonzero(np.isnan(values))
    if 0 < len(others) == len(unique):
        hashed = text_hashes(unique, key)
        found = Fingerprints(hashed, hashed, numeric=False, same=True)
    else:
        found = _of_numbers(values, key)
    exact, coarse = found.exact, found.coarse
    if 0 < len(others) < len(unique):
        hashed = text_hashes(unique.gather(others), key)
        exact[others] = hashed
        if not found.same:
            coarse[others] = hashed
    numeric = len(others) < 0.5 * max(1, len(unique))
    if codes is not None:
        exact, coarse = exact[codes], coarse if found.same else coarse[codes]
    return Fingerprints(exact, exact if found.same else coarse, numeric=numeric, same=found.same)


def _as_numbers(texts: pl.Series) -> Floats:
    """The number that each text is, NaN where it is none; truth values are 1 and 0."""
    stripped = texts.str.strip_chars()
    values: Floats = stripped.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy().copy()
    short_words = np.flatnonzero((stripped.str.len_bytes().fill_null(0).is_between(4, 5)).to_numpy() & np.isnan(values))
    if len(short_words):
        words = stripped.gather(short_words).str.to_lowercase()
        values[short_words[(words == "true").to_numpy()]] = 1.0
        values[short_words[(words == "false").to_numpy()]] = 0.0
    return values
