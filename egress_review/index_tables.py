"""Tables of hashes made beforehand, of small numbers, days and numbers to three digits: cheaper than hashing anew."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt
import polars as pl

from egress_review.index_numbers import (
    CHUNK,
    COARSE_DIGITS,
    EXACT_DIGITS,
    EXPONENT,
    Floats,
    Hashes,
    Ints,
    Key,
    Prints,
    canonical_numbers,
    hash_numbers,
    round_significant,
    short,
)
from egress_review.index_texts import text_hashes


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

    def places(self, values: Floats) -> Ints | None:
        """Where each of `values` stands in the tables; None when one of them is no k / scale."""
        # A few tell of most columns that they are not of this kind.
        for part in (values[:64], values):
            scaled = np.rint(part * self.scale)
            if not len(scaled) or not (scaled.min() >= self.LOW and scaled.max() < self.HIGH):
                missing = np.isnan(scaled)
                with np.errstate(invalid="ignore"):
                    fits = (scaled >= self.LOW) & (scaled < self.HIGH)
                if not bool((fits | missing).all()):
                    return None
                fits &= scaled / self.scale == part
                if not bool((fits | missing).all()):
                    return None
                scaled[missing] = self.HIGH
            elif not bool((scaled / self.scale == part).all()):
                return None
        places: Ints = scaled.astype(np.int64)
        places -= self.LOW
        return places


class PlainNumbers:
    """Numbers of usual size, hashed in one go: long hashes, and where the value to three digits stands in `coarse`.

    The same results as `hash_numbers` of the rounded values, in fewer passes: powers of ten up to 1e22 are exact, and
    the two thousand numbers of three digits of each magnitude have their prints in a table.
    """

    LEAST, MOST = -11, 11  # decimal exponents

    def __init__(self, key: Key) -> None:
        self._low, self._high = np.uint64(key.low), np.uint64(key.high)
        exponents = np.arange(self.LEAST, self.MOST + 2)
        self._places = np.clip(EXPONENT - self.LEAST, 0, len(exponents) - 2)
        self._powers = np.array([float(f"1e{e + 1}") for e in exponents])
        self._twelve = np.array([float(f"1e{EXACT_DIGITS - 1 - e}") for e in exponents])
        self._three = np.array([float(f"1e{COARSE_DIGITS - 1 - e}") for e in exponents])
        width = 2 * 10**COARSE_DIGITS + 1
        self._zero = (np.arange(len(exponents)) * width + 10**COARSE_DIGITS).astype(np.float64)
        digits = np.arange(width) - 10**COARSE_DIGITS
        values = np.array([float(f"{m}e{e - COARSE_DIGITS + 1}") for e in exponents for m in digits])
        self.coarse = short(hash_numbers(values, key))

    def prints(self, values: Floats) -> tuple[Hashes, Prints, Prints] | None:
        """(hashes, exact prints, coarse prints); None when a number is too large, too small or missing."""
        found = self.hash(values)
        return None if found is None else (found[0], short(found[0]), self.coarse.take(found[1]))

    def hash(self, values: Floats, *, whole: bool = False) -> tuple[Hashes, Ints] | None:
        """(hashes, places in `coarse`); None when a number is too large, too small or missing.

        `whole` when all are integers, which need no rounding to twelve digits.
        """
        low, high = values.min(), values.max()
        if not (low > -(10.0**EXACT_DIGITS) and high < 10.0**EXACT_DIGITS):  # so is what is missing
            return None
        tiny = not whole and bool(low < 10.0**self.LEAST) and bool(high > -(10.0**self.LEAST))
        hashes: Hashes = np.empty(len(values), np.uint64)
        places: Ints = np.empty(len(values), np.int64)
        for start in range(0, len(values), CHUNK):
            here = slice(start, start + CHUNK)
            part = values[here]
            size = np.abs(part)
            if tiny and bool(size.min() < 10.0**self.LEAST) and bool(((size < 10.0**self.LEAST) & (size != 0)).any()):
                return None
            self._part(part, size, hashes[here], places[here], whole=whole)
        return hashes, places

    def _part(self, part: Floats, size: Floats, h: Hashes, places: Ints, *, whole: bool) -> None:
        np.right_shift(size.view(np.int64), 52, out=places)
        place = self._places.take(places)
        place += size >= self._powers.take(place)
        if whole:
            rounded = part + 0.0
        else:
            scale = self._twelve.take(place)
            rounded = part * scale
            np.rint(rounded, out=rounded)
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
        digits = self._three.take(place)
        digits *= part
        np.rint(digits, out=digits)
        digits += self._zero.take(place)
        np.copyto(places, digits, casting="unsafe")


class Days:
    """The hashes of days of some centuries, each made when it is first met: there are few of them in a register."""

    LOW, HIGH = -(1 << 18), 1 << 18  # days since 1970: the years 1252 to 2687
    NIL = HIGH - LOW

    def __init__(self, key: Key) -> None:
        self.key = key
        self.hashes: Hashes = np.zeros(self.NIL + 1, dtype=np.uint64)
        self.exact = self.coarse = np.zeros(self.NIL + 1, dtype=np.uint16)

    def learn(self, places: Ints) -> None:
        """Makes the hashes of these places; two threads that learn the same write the same."""
        fresh = places[(self.hashes[places] == 0) & (places != self.NIL)]
        if len(fresh):
            days = pl.Series((fresh + self.LOW).astype(np.int32)).cast(pl.Date)
            hashes = text_hashes(days.cast(pl.String), self.key)
            self.exact[fresh] = short(hashes)
            self.hashes[fresh] = hashes


class Tables:
    """The tables of small numbers under one key, each made when it is first wanted."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.plain = PlainNumbers(key)
        self.days = Days(key)
        self._made: dict[int, SmallNumbers] = {}
        self._flags: list[npt.NDArray[np.bool_]] = []
        self._lock = threading.Lock()

    def of(self, scale: int) -> SmallNumbers:
        """The table of k / scale."""
        with self._lock:
            if scale not in self._made:
                self._made[scale] = SmallNumbers(scale, self.key)
            return self._made[scale]

    def flags(self, bits: int) -> npt.NDArray[np.bool_]:
        """2 ** bits zeros; memory that was given back is used again, as new pages are dear."""
        with self._lock:
            kept = self._flags.pop() if self._flags and len(self._flags[-1]) == 1 << bits else None
        if kept is None:
            return np.zeros(1 << bits, dtype=np.bool_)
        kept.fill(False)
        return kept

    def give_back(self, flags: npt.NDArray[np.bool_]) -> None:
        """Takes memory back that `flags` gave."""
        with self._lock:
            self._flags.append(flags)
