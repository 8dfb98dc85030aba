"""Choices made from bytes, so that a fuzzer that changes bytes changes a structure; the same bytes, the same choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")
_CHARACTERS = "aZ09 .,;:-_/\\\"'<>&=()[]{}\n\r\t\0\x1b\x7f\u00a0\u00e9\u0301\u200b\u202e\ufeff\ufe0f\ufdd0\U000e0041\U0001f600\ud800\u0430\u0661"


class Choices:
    """Reads choices off the front of some bytes; when they are used up every choice is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return max(0, len(self._data) - self._at)

    def number(self, most: int) -> int:
        """From 0 to `most`."""
        size = max(1, (most.bit_length() + 7) // 8)
        taken = int.from_bytes(self.take(size), "little")
        return taken % (most + 1)

    def flag(self) -> bool:
        return bool(self.number(255) & 1)

    def pick(self, among: Sequence[T]) -> T:
        return among[self.number(len(among) - 1)]

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def some(self, most: int = 64) -> bytes:
        return self.take(self.number(most))

    def rest(self) -> bytes:
        return self.take(self.left)

    def text(self, words: Sequence[str] = (), most: int = 24) -> str:
        """Words of the format, odd characters, and UTF-8 as it comes."""
        how = self.number(7)
        if how < 4 and words:
            return self.pick(words)
        if how < 6:
            return self.some(most).decode("utf-8", "replace")
        return "".join(self.pick(_CHARACTERS) for _ in range(self.number(8)))

    def json(self, names: Sequence[str] = (), values: Sequence[str] = (), depth: int = 0) -> Any:
        """A tree of JSON values; `names` are likely keys and `values` likely texts."""
        how = self.number(13)
        if depth > 5 or not self.left:
            how %= 7
        if how < 3:
            return self.text(values)
        if how == 3:
            return self.pick((0, 1, -1, 2**31, 2**63, -(2**70), 10**400, 17))
        if how == 4:
            return self.pick((0.5, float("nan"), float("inf"), -0.0, 1e-320, 1e308, 0.1 + 0.2, 123456789.123456789))
        if how == 5:
            return self.flag()
        if how == 6:
            return None
        if how < 10:
            return [self.json(names, values, depth + 1) for _ in range(self.number(6))]
        if how == 10:
            return [self.json(names, values, depth + 2)] * self.number(40)
        return {self.text(names): self.json(names, values, depth + 1) for _ in range(self.number(6))}

    def bent(self, value: Any, names: Sequence[str] = (), values: Sequence[str] = ()) -> Any:
        """A JSON value that is sound, with something changed in a few of its places."""
        if self.number(19) == 0:
            return self.json(names, values, 3)
        if isinstance(value, dict):
            kept = {name: self.bent(item, names, values) for name, item in value.items() if self.number(29)}
            if self.number(9) == 0:
                kept[self.text(names)] = self.json(names, values, 3)
            return kept
        if isinstance(value, list):
            kept_items = [self.bent(item, names, values) for item in value if self.number(29)]
            return kept_items * (1 + (self.number(19) == 0)) if len(kept_items) < 500 else kept_items
        return value
