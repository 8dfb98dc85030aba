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

CHUNK = 1 << 13  # elements that stay in the cache, and in memory that is at hand, between steps
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


def canonical_numbers(values: Floats) -> Floats:
    """`values` to 12 significant digits; whole numbers stay as they are, however long."""
    size = np.abs(values)
    whole = values == np.rint(values)
    if bool((whole | np.isnan(values)).all()):
        return values
    rounded = round_significant(values, EXACT_DIGITS)
    return np.where(whole, values, rounded) if bool((size >= 10.0**EXACT_DIGITS).any()) else rounded


def coarse_is_exact(values: Floats) -> bool:
    """Whether three digits say all there is to say of these numbers."""
    return bool(((values == np.rint(values)) & (np.abs(values) < 1000) | np.isnan(values)).all())


def _of_numbers(values: Floats, key: Key) -> Fingerprints:
    exact = hash_numbers(canonical_numbers(values), key)
    if coarse_is_exact(values):
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
    nothing = np.flatnonzero(prints == 0)
    if len(nothing):
        prints[nothing] = hashes[nothing] != 0
    return prints


class SmallNumbers:
    """The hashes of k / scale for all small whole k, made once: most columns hold nothing else."""

    LOW, HIGH = -4096, 1 << 17
    NIL = HIGH - LOW  # the place that stands for an empty cell

    def __init__(self, scale: int, key: Key) -> None:
        self.scale = scale
        values = np.arange(self.LOW, self.HIGH) / scale
        none = np.zeros(1, dtype=np.uint64)
        self.hashes = np.concatenate([hash_numbers(canonical_numbers(values), key), none])
        self.exact = short(self.hashes)
        self.coarse = short(np.concatenate([hash_numbers(round_significant(values, COARSE_DIGITS), key), none]))

    def places(self, values: Floats) -> npt.NDArray[np.int64] | None:
        """Where each of `values` stands in the tables; None when one of them is no k / scale."""
        # A few tell of most columns that they are not of this kind.
        for part in (values[:64], values):
            scaled = np.rint(part * self.scale)
            with np.errstate(invalid="ignore"):
                fits = (scaled / self.scale == part) & (scaled >= self.LOW) & (scaled < self.HIGH)
            if not bool(fits.all()):
                missing = np.isnan(part)
                if not bool((fits | missing).all()):
                    return None
                scaled = np.where(missing, float(self.HIGH), scaled)
        return scaled.astype(np.int64) - self.LOW


class PlainNumbers:
    """Numbers of usual size, hashed in one go: prints to twelve and to three digits, and the long hashes.

    The same results as `hash_numbers` of the rounded values, in fewer passes: powers of ten up to 1e22 are exact, and the
    two thousand numbers of three digits of each magnitude have their prints in a table.
    """

    LEAST, MOST = -11, 11  # decimal exponents

    def __init__(self, key: Key) -> None:
        self._low, self._high = np.uint64(key.low), np.uint64(key.high)
        exponents = np.arange(self.LEAST, self.MOST + 2)
        self._places = np.clip(_EXPONENT - self.LEAST, 0, len(exponents) - 2)
        self._powers = np.array([float(f"1e{e + 1}") for e in exponents])
        self._twelve = np.array([float(f"1e{EXACT_DIGITS - 1 - e}") for e in exponents])
        self._three = np.array([float(f"1e{COARSE_DIGITS - 1 - e}") for e in exponents])
        width = 2 * 10**COARSE_DIGITS + 1
        self._zero = (np.arange(len(exponents)) * width + 10**COARSE_DIGITS).astype(np.float64)
        digits = np.arange(width) - 10**COARSE_DIGITS
        values = np.array([float(f"{m}e{e - COARSE_DIGITS + 1}") for e in exponents for m in digits])
        self._coarse = short(hash_numbers(values, key))

    def prints(self, values: Floats) -> tuple[Hashes, Prints, Prints] | None:
        """(hashes, exact prints, coarse prints); None when a number is too large, too small or missing."""
        hashes: Hashes = np.empty(len(values), np.uint64)
        exact: Prints = np.empty(len(values), np.uint16)
        coarse: Prints = np.empty(len(values), np.uint16)
        for start in range(0, len(values), CHUNK):
            here = slice(start, start + CHUNK)
            if not self._part(values[here], hashes[here], exact[here], coarse[here]):
                return None
        return hashes, exact, coarse

    def _part(self, part: Floats, h: Hashes, exact: Prints, coarse: Prints) -> bool:
        size = np.abs(part)
        if not bool(size.max() < 10.0**EXACT_DIGITS):  # so is what is missing
            return False
        if bool(size.min() < 10.0**self.LEAST) and bool(((size < 10.0**self.LEAST) & (size != 0)).any()):
            return False
        place = self._places.take(size.view(np.int64) >> 52)
        place += size >= self._powers.take(place)
        scale = self._twelve.take(place)
        rounded = np.rint(part * scale)
        rounded /= scale
        rounded += 0.0  # -0 becomes 0
        np.bitwise_xor(rounded.view(np.uint64), self._low, out=h)
        shifted = h >> np.uint64(30)
        h ^= shifted
        h *= np.uint64(0xBF58476D1CE4E5B9)
        np.right_shift(h, np.uint64(27), out=shifted)
        h ^= shifted
        h += self._high
        h *= np.uint64(0x94D049BB133111EB)
        np.right_shift(h, np.uint64(31), out=shifted)
        h ^= shifted
        exact[:] = short(h)
        digits = np.rint(part * self._three.take(place))
        digits += self._zero.take(place)
        coarse[:] = self._coarse.take(digits.astype(np.int64))
        return True
