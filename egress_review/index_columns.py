"""Canonical values of a column as keyed fingerprints: numbers to 12 and to 3 significant digits, text case-folded, days in ISO form.

A fingerprint is the top of a 64-bit keyed hash. The same value gives the same one whether it comes from Parquet, CSV or
a printed table, so an output can be compared with a source without keeping the source's values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash

Hashes = npt.NDArray[np.uint64]
Prints = npt.NDArray[np.uint16]
Floats = npt.NDArray[np.float64]

CHUNK = 1 << 16  # elements that stay in the cache between steps
EXACT_DIGITS, COARSE_DIGITS = 12, 3
_EXPONENT = np.array([int(np.floor((e - 1023) * 0.30102999566398120)) for e in range(2048)], dtype=np.int64)
_POWERS = 10.0 ** np.arange(-330, 331).clip(-307, 308)
_DAY = re.compile(r"^(\d{4})-(\d\d)-(\d\d)(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|\+00:00)?)?$")
_DAY_EUROPEAN = re.compile(r"^(\d{1,2})[./](\d{1,2})[./](\d{4})$")


@dataclass(frozen=True)
class Key:
    """The key of one enclave's indexes, 16 bytes."""

    low: int
    high: int

    @classmethod
    def from_bytes(cls, secret: bytes) -> Key:
        """The key from a secret of at least 16 bytes."""
        if len(secret) < 16:
            raise ValueError("the key of the indexes must have at least 16 bytes")
        return cls(int.from_bytes(secret[:8], "little"), int.from_bytes(secret[8:16], "little"))


def round_significant(values: Floats, digits: int) -> Floats:
    """`values` to `digits` significant decimal digits, half to even; zero, NaN and infinities stay."""
    out = np.empty_like(values)
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK]
        size = np.abs(part)
        exponent = _EXPONENT[(size.view(np.int64) >> 52) & 0x7FF]
        exponent += size >= _POWERS[exponent + 331]
        shift = digits - 1 - exponent
        # Negative powers of ten are inexact: divide by the positive one.
        up = _POWERS[np.maximum(shift, 0) + 330]
        down = _POWERS[np.maximum(-shift, 0) + 330]
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = np.rint(part * up / down) * down / up
        out[start : start + CHUNK] = np.where(np.isfinite(rounded), rounded, part)
    return out


def hash_numbers(values: Floats, key: Key) -> Hashes:
    """A keyed 64-bit hash of each number, 0 for NaN."""
    out = np.empty(len(values), dtype=np.uint64)
    low, high = np.uint64(key.low), np.uint64(key.high)
    one, two = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
    s30, s27, s31 = np.uint64(30), np.uint64(27), np.uint64(31)
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK] + 0.0  # -0 becomes 0
        h = part.view(np.uint64) ^ low
        h ^= h >> s30
        h *= one
        h ^= h >> s27
        h += high
        h *= two
        h ^= h >> s31
        h[np.isnan(part)] = 0
        out[start : start + CHUNK] = h
    return out


def canonical_text(text: str) -> str:
    """Case-folded, blanks joined, days as ISO days."""
    text = " ".join(text.split()).casefold()
    if text[:1].isdigit():
        if match := _DAY.match(text):
            return f"{match[1]}-{match[2]}-{match[3]}"
        if match := _DAY_EUROPEAN.match(text):
            return f"{match[3]}-{int(match[2]):02d}-{int(match[1]):02d}"
    return text


def _text_hash(text: str | None, key: Key) -> int:
    if text is None:
        return 0
    canonical = canonical_text(text)
    return xxhash.xxh3_64_intdigest(canonical.encode("utf-8", "replace"), seed=key.low) ^ key.high if canonical else 0


_TRUTH = {"true": 1.0, "false": 0.0}


@dataclass
class Fingerprints:
    """A column's hashes: `exact`, and `coarse` for numbers (the same array where 3 digits say all)."""

    exact: Hashes
    coarse: Hashes
    numeric: bool
    same: bool  # coarse is exact


def fingerprints(series: pl.Series, key: Key) -> Fingerprints:
    """The hashes of a column of any type; nested columns are compared as text."""
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
    return _of_texts(series, key)


def _of_numbers(values: Floats, key: Key) -> Fingerprints:
    whole = True
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK]
        if not bool(((part == np.rint(part)) | np.isnan(part)).all()):
            whole = False
            break
    exact = hash_numbers(values if whole else round_significant(values, EXACT_DIGITS), key)
    if whole and (len(values) == 0 or np.nanmax(np.abs(values), initial=0) < 1000):
        return Fingerprints(exact, exact, numeric=True, same=True)
    return Fingerprints(exact, hash_numbers(round_significant(values, COARSE_DIGITS), key), numeric=True, same=False)


def _of_texts(series: pl.Series, key: Key) -> Fingerprints:
    """Text cells: those that are numbers are hashed as numbers, so that types need not agree."""
    unique = series.unique(maintain_order=True)
    if len(unique) > 0.5 * len(series):
        unique, codes = series, None
    else:
        codes = (
            series.to_frame("v")
            .join(
                unique.to_frame("v").with_row_index("i"), on="v", how="left", nulls_equal=True, maintain_order="left"
            )["i"]
            .to_numpy()
        )
    stripped = unique.str.strip_chars()
    numbers = stripped.cast(pl.Float64, strict=False)
    values = numbers.fill_null(float("nan")).to_numpy().astype(np.float64)
    texts = unique.to_list()
    if np.isnan(values).any():
        for place in np.flatnonzero(np.isnan(values)):
            text = texts[place]
            if text is not None and text.strip().lower() in _TRUTH:
                values[place] = _TRUTH[text.strip().lower()]
    found = _of_numbers(values, key)
    others = np.flatnonzero(np.isnan(values))
    exact, coarse = found.exact, found.coarse if not found.same else found.exact.copy()
    if len(others):
        hashed = np.array([_text_hash(texts[place], key) for place in others], dtype=np.uint64)
        exact = exact.copy()
        exact[others] = hashed
        coarse[others] = hashed
    numeric = len(others) < 0.5 * max(1, len(texts))
    if codes is not None:
        exact, coarse = exact[codes], coarse[codes]
    return Fingerprints(exact, exact if found.same else coarse, numeric=numeric, same=found.same)


def short(hashes: Hashes) -> Prints:
    """The top 16 bits; 0 is kept for an empty cell."""
    prints = (hashes >> np.uint64(48)).astype(np.uint16)
    prints[(prints == 0) & (hashes != 0)] = 1
    return prints
