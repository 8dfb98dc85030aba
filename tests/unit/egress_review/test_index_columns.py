import numpy as np
import polars as pl
import pytest

from egress_review.index_columns import Key, fingerprints, round_significant, short

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
