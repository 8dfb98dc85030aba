import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_review.index_numbers import Key
from egress_review.index_texts import canonical_text, text_hashes

KEY = Key.from_bytes(b"0123456789abcdef")
LETTERS = st.text(st.sampled_from("aB 1\t\n\x0b\x1c\x1d\u00a0ßẞİéΣς./-:tTzZ"), max_size=12)


def _hashes(texts: list[str | None]) -> list[int]:
    return text_hashes(pl.Series(texts, dtype=pl.String), KEY).tolist()


@given(st.lists(st.one_of(LETTERS, st.text(max_size=40)), min_size=1, max_size=30))
@settings(deadline=None)
def test_two_texts_agree_exactly_where_their_canonical_forms_do(texts):
    groups: dict[str, set[int]] = {}
    for text, found in zip(texts, _hashes(texts), strict=True):
        groups.setdefault(canonical_text(text), set()).add(found)
    assert all(len(found) == 1 for found in groups.values())
    assert len(set.union(*groups.values())) == len(groups)


@given(st.lists(st.one_of(st.none(), st.text(max_size=20), st.text("x", min_size=250, max_size=270)), max_size=20))
@settings(deadline=None)
def test_a_hash_does_not_depend_on_the_texts_beside_it(texts):
    assert _hashes(texts) == [_hashes([text])[0] for text in texts]
    series = pl.Series(["before", *texts, "after"], dtype=pl.String)
    assert text_hashes(series.slice(1, len(texts)), KEY).tolist() == _hashes(texts)
    assert (
        text_hashes(pl.concat([series, series], rechunk=False), KEY).tolist() == 2 * text_hashes(series, KEY).tolist()
    )


@pytest.mark.parametrize("length", [1, 7, 8, 9, 16, 17, 255, 256, 257, 1000])
def test_every_byte_of_a_text_counts(length):
    texts = ["a" * length] + ["a" * place + "b" + "a" * (length - place - 1) for place in range(length)]
    texts += ["a" * (length + 1), "a" * (length - 1) + "\0"]
    assert len(set(_hashes(texts))) == len(texts)


def test_what_is_missing_or_blank_has_no_hash():
    assert _hashes([None, "", "  \t\n", "\u00a0", "x"])[:4] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "text", ["2020-11-03 00:00:00", "2020-11-03T00:00:00Z", "2020-11-03T00:00:00.000", "3.11.2020", "03/11/2020", " 2020-11-03 "]
)  # fmt: skip
def test_a_day_is_the_same_in_all_its_forms(text):
    assert canonical_text(text) == "2020-11-03"
    assert len(set(_hashes([text, "2020-11-03"]))) == 1
    assert len(set(_hashes(["2020-11-03T10:30:00", "2020-11-03"]))) == 2


def test_hashes_are_spread_evenly_and_depend_on_both_halves_of_the_key():
    texts = pl.Series([f"ID-{number:08d}" for number in range(200_000)])
    hashes = text_hashes(texts, KEY)
    assert len(np.unique(hashes)) == len(texts)
    for shift in (48, 24, 0):
        counts = np.bincount(((hashes >> np.uint64(shift)) & np.uint64(0xFFF)).astype(np.int64), minlength=4096)
        # Chi-square of 4,095 degrees of freedom: mean 4,095, standard deviation 90.
        assert abs(float(((counts - counts.mean()) ** 2 / counts.mean()).sum()) - 4095) < 600
    for other in (Key(KEY.low ^ 1, KEY.high), Key(KEY.low, KEY.high ^ 1)):
        assert not (text_hashes(texts.head(1000), other) == hashes[:1000]).any()
