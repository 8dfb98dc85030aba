import numpy as np
import polars as pl
import pytest

from egress_review.index_columns import Key, PlainNumbers, SmallNumbers, fingerprints, round_significant, short

KEY = Key.from_bytes(b"0123456789abcdef")


def test_rounding_is_decimal():
    values = np.array([1.23456, 0.00123456, 99999.4, -5.555, 0.0, 1e-9, 999.6])
    np.testing.assert_allclose(round_significant(values, 3), [1.23, 0.00123, 100000, -5.56, 0, 1e-9, 1000], rtol=1e-12)


@pytest.mark.parametrize("values", [[1.5, 2.25, -3.0], [1, 2, 3], [True, False, True], [0.1 + 0.2, 1e10, 123456.789]])
def test_a_type_does_not_matter(values):
    typed = fingerprints(pl.Series(values), KEY)
    as_text = fingerprints(pl.Series([str(v) for v in values]), KEY)
    np.testing.assert_array_equal(typed.exact, as_text.exact)
    np.testing.assert_array_equal(typed.coarse, as_text.coarse)


def test_text_is_folded_and_days_are_days():
    from datetime import date

    one = fingerprints(pl.Series(["  Müller ", "3.11.2020", "x"]), KEY).exact
    two = fingerprints(pl.Series(["MÜLLER", "2020-11-03", "y"]), KEY).exact
    assert (one == two).tolist() == [True, True, False]
    assert fingerprints(pl.Series([date(2020, 11, 3)]), KEY).exact[0] == one[1]


def test_three_digits_agree_where_twelve_do_not():
    one, two = fingerprints(pl.Series([12.3456]), KEY), fingerprints(pl.Series([12.3]), KEY)
    assert one.exact[0] != two.exact[0]
    assert one.coarse[0] == two.coarse[0]


def test_an_empty_cell_is_no_value():
    assert short(fingerprints(pl.Series([None, 1.5, float("nan")]), KEY).exact)[[0, 2]].tolist() == [0, 0]


def test_another_key_gives_other_hashes():
    other = Key.from_bytes(b"fedcba9876543210")
    assert fingerprints(pl.Series([1.5]), KEY).exact[0] != fingerprints(pl.Series([1.5]), other).exact[0]


@pytest.mark.parametrize("spread", [0.1, 1.0, 5.0])
def test_the_short_ways_give_the_same_hashes(spread):
    made = np.random.default_rng(0)
    edges = np.array([0, -0.0, 999.5, 999.4999, 99950, 1e-11, 9.995, 123456789012.0, 999999999999.0, 99999999999.95])
    values = np.concatenate(
        [made.normal(scale=spread, size=20_000), -made.lognormal(3, spread, 20_000).round(2), edges]
    )
    values = values[np.abs(values) < 1e12]
    values = values[(np.abs(values) >= 1e-11) | (values == 0)]
    found = fingerprints(pl.Series(values), KEY)
    plain = PlainNumbers(KEY).prints(values)
    assert plain is not None
    for one, other in zip(plain, (found.exact, short(found.exact), short(found.coarse)), strict=True):
        np.testing.assert_array_equal(one, other)
    hundredths = np.append(np.round(np.clip(values, -40, 1300), 2), np.nan)
    small, usual = SmallNumbers(100, KEY), fingerprints(pl.Series(hundredths), KEY)
    places = small.places(hundredths)
    assert places is not None
    np.testing.assert_array_equal(small.hashes[places], usual.exact)
    np.testing.assert_array_equal(small.coarse[places], short(usual.coarse))


def test_unusual_numbers_take_the_long_way():
    plain = PlainNumbers(KEY)
    for value in (1e12, 1e-12, float("nan"), float("inf")):
        assert plain.prints(np.array([1.0, value])) is None
    assert SmallNumbers(10, KEY).places(np.array([1.0, 1.25])) is None
