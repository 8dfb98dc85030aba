"""Canonical numbers and their keyed hashes: to 12 and to 3 significant digits, by arithmetic on whole arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Prints = npt.NDArray[np.uint16]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CHUNK = 1 << 13  # elements that stay in the cache, and in memory that is at hand, between steps
EXACT_DIGITS, COARSE_DIGITS = 12, 3
EXPONENT = np.array([int(np.floor((e - 1023) * 0.30102999566398120)) for e in range(2048)], dtype=np.int64)
_POWERS = 10.0 ** np.arange(-330, 331).clip(-307, 308)


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
        exponent = EXPONENT[(size.view(np.int64) >> 52) & 0x7FF]
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


def short(hashes: Hashes) -> Prints:
    """The top 16 bits; 0 is kept for an empty cell."""
    prints = (hashes >> np.uint64(48)).astype(np.uint16)
    nothing = np.flatnonzero(prints == 0)
    if len(nothing):
        prints[nothing] = hashes[nothing] != 0
    return prints
