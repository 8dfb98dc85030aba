"""The least and the greatest number of a column, and how many rows hold each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from egress_review.index_numbers import COARSE_DIGITS, Floats, Key, canonical_numbers, hash_numbers, round_significant


@dataclass
class End:
    """The least or the greatest value of a column so far."""

    value: float
    rows: int

    def meet(self, value: float, rows: int, *, least: bool) -> End:
        """Itself or the other, whichever is further out; both together where they are equal."""
        if value == self.value:
            return End(value, self.rows + rows)
        return End(value, rows) if (value < self.value) == least else self

    def hashed(self, key: Key) -> list[int]:
        """Its hashes to twelve and to three digits, never the value itself, and how many rows hold it."""
        value = np.array([self.value])
        exact, coarse = canonical_numbers(value), round_significant(value, COARSE_DIGITS)
        return [int(hash_numbers(exact, key)[0]), int(hash_numbers(coarse, key)[0]), self.rows]


@dataclass
class Ends:
    """Both ends of a column, as far as it was read."""

    lowest: End | None = None
    highest: End | None = None

    def meet(self, low: float, low_rows: int, high: float, high_rows: int) -> None:
        """Takes in the ends of the next rows."""
        self.lowest = self.lowest.meet(low, low_rows, least=True) if self.lowest else End(low, low_rows)
        self.highest = self.highest.meet(high, high_rows, least=False) if self.highest else End(high, high_rows)

    def meet_all(self, values: Floats) -> None:
        """Takes in the next rows themselves, none of which is missing."""
        low, high = float(values.min()), float(values.max())
        # Counting those who hold the end costs a pass over the part: only where it is as far out as before.
        low_inside = self.lowest is not None and low > self.lowest.value
        high_inside = self.highest is not None and high < self.highest.value
        low_rows = 0 if low_inside else int(np.count_nonzero(values == low))
        high_rows = 0 if high_inside else int(np.count_nonzero(values == high))
        self.meet(low, low_rows, high, high_rows)

    def hashed(self, key: Key) -> dict[str, list[int]]:
        """What the index says of them; nothing of a column without numbers."""
        if self.lowest is None or self.highest is None:
            return {}
        return {"lowest": self.lowest.hashed(key), "highest": self.highest.hashed(key)}
