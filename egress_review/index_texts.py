"""Canonical texts and their keyed hashes: case-folded, blanks joined, days in ISO form.

Texts are hashed eight bytes at a time, all texts of a column together; only those that are unusual are looked at one by
one. Like xxHash, the hash spreads well and is no defence against somebody who knows the key.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash

from egress_review.index_numbers import Hashes, Key

_DAY = re.compile(r"^(\d{4})-(\d\d)-(\d\d)(?:[t ]00:00(?::00(?:\.0+)?)?(?:z|\+00:00)?)?$")
_DAY_EUROPEAN = re.compile(r"^(\d{1,2})[./](\d{1,2})[./](\d{4})$")
# What lower case alone does not make canonical: blanks at the ends, in a row or of other kinds, and days.
_UNUSUAL = r"^ | $|  |[\t-\r\x1c-\x1f]|^\d{1,2}[./]\d|^\d{4}-\d\d-\d\d[Tt ]"
_LONG = 256  # bytes from which a text is hashed by itself
_START, _STEP, _END = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_KEPT = np.array([(1 << 8 * size) - 1 for size in range(8)] + [(1 << 64) - 1], dtype=np.uint64)  # of a word, by bytes


def canonical_text(text: str) -> str:
    """Case-folded, blanks joined, days as ISO days."""
    text = " ".join(text.split()).casefold()
    if text[:1].isdigit():
        if match := _DAY.match(text):
            return f"{match[1]}-{match[2]}-{match[3]}"
        if match := _DAY_EUROPEAN.match(text):
            return f"{match[3]}-{int(match[2]):02d}-{int(match[1]):02d}"
    return text


def text_hashes(texts: pl.Series, key: Key) -> Hashes:
    """A keyed 64-bit hash of each canonical text, 0 for one that is missing or empty."""
    filled = texts.fill_null("") if texts.null_count() else texts
    usual = filled.str.to_lowercase()
    data = _packed(filled)[1]
    # Blanks and what stands between the parts of a day come before the digits: most columns of codes have none of them.
    if len(data) and (data.min() <= ord("/") or data.max() >= 0x80):
        unusual = (filled.str.len_bytes() != filled.str.len_chars()) | filled.str.contains(_UNUSUAL)
        places = np.flatnonzero(unusual.to_numpy())
        if len(places):
            forms = [canonical_text(text) for text in filled.gather(places).to_list()]
            usual = usual.scatter(places, forms)
    return _hash_packed(*_packed(usual), key)


def _packed(texts: pl.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Where each text begins and the last one ends, and the bytes of all of them one after the other."""
    packed = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = packed.buffers()
    ends = np.frombuffer(offsets, np.int64)[packed.offset : packed.offset + len(texts) + 1]
    held = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if data is not None else np.empty(0, np.uint8)
    return ends - ends[0], held


def _hash_packed(ends: npt.NDArray[np.int64], data: npt.NDArray[np.uint8], key: Key) -> Hashes:
    held = np.zeros(len(data) + 8, np.uint8)  # a word may begin at the last byte
    held[: len(data)] = data
    words = np.ndarray((len(data) + 1,), np.dtype("<u8"), held.data, 0, (1,))
    starts, sizes = ends[:-1], np.diff(ends)
    high = np.uint64(key.high)
    hashes: Hashes = sizes.astype(np.uint64)
    hashes *= _START
    hashes ^= np.uint64(key.low)
    least, most = (int(sizes.min()), int(sizes.max())) if len(sizes) else (0, 0)
    active: npt.NDArray[np.int64] | None = None  # those that have a word here; None for all
    for begin in range(0, min(most, _LONG), 8):
        if least >= begin + 8:
            hashes = _step(hashes, words[starts + begin], high)
        elif least > begin:
            hashes = _step(hashes, words[starts + begin] & _KEPT[np.minimum(sizes - begin, 8)], high)
        else:
            active = np.flatnonzero(sizes > begin) if active is None else active[sizes[active] > begin]
            part = words[starts[active] + begin] & _KEPT[np.minimum(sizes[active] - begin, 8)]
            hashes[active] = _step(hashes[active], part, high)
    for place in np.flatnonzero(sizes > _LONG):
        whole = held[starts[place] : starts[place] + sizes[place]].tobytes()
        hashes[place] = xxhash.xxh3_64_intdigest(whole, seed=key.low) ^ key.high
    hashes *= _END
    hashes ^= hashes >> np.uint64(31)
    hashes[sizes == 0] = 0
    return hashes


def _step(hashes: Hashes, words: Hashes, high: np.uint64) -> Hashes:
    hashes ^= words
    hashes *= _STEP
    hashes ^= hashes >> np.uint64(32)
    hashes += high  # its carries make differences between texts depend on the key
    return hashes
