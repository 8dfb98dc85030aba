"""Rules against classes of hiding places: what they see, and what they let pass."""

import io

import numpy as np
import pytest
from PIL import Image

from egress_review.rules import channels, encodings, pixels


@pytest.mark.parametrize(
    "text", ["Anna says that the rates in the north were higher, and the south stayed as it was before."]
)
def test_numbers_that_spell_a_text_are_told_from_counts(text):
    assert encodings.spells([str(ord(c)) for c in text])
    assert encodings.spells([str(10 * ord(c)) for c in text])
    assert not encodings.spells([str(35 + 5 * (i % 20)) for i in range(60)])


def test_ways_used_by_turns_are_told_from_blocks():
    rng = np.random.default_rng(5)
    assert channels.by_turns([bool(bit) for bit in rng.integers(0, 2, 200)])
    assert not channels.by_turns([False] * 100 + [True] * 100)
    assert not channels.by_turns([True] * 200)


def test_noise_in_a_picture_is_told_from_a_plain_one():
    plain = np.full((120, 120, 3), 255, np.uint8)
    plain[40:80, 20:100] = (31, 119, 180)
    noisy = plain.copy()
    noisy[:64, :64] = np.random.default_rng(5).integers(0, 256, (64, 64, 3))
    seen = [[found.rule for found in pixels.in_picture("fig", _png(each), lossless=True)] for each in (plain, noisy)]
    assert seen[0] == []
    assert "image.noise" in seen[1]


def _png(values):
    out = io.BytesIO()
    Image.fromarray(values).save(out, "PNG")
    return out.getvalue()
