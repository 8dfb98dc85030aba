from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_control.data_package import field_type
from access_control.generalise import Clip, Edges, First, Groups, Keep, PostcodeArea, Round, Rule, Truncate, Width

DAYS = [date(2004, 5, 17), date(1999, 12, 31), None]


@pytest.mark.parametrize(
    ("rule", "column", "expected"),
    [
        (Keep(), pa.array([1, None]), [1, None]),
        (Width(10), pa.array([0, 34, 39, 40, -1, None]), ["0-9", "30-39", "30-39", "40-49", "-10--1", None]),
        (Width(10, top=80), pa.array([79, 80, 104]), ["70-79", "80+", "80+"]),
        (Width(1), pa.array([3]), ["3"]),
        (Width(2.5), pa.array([0.0, 2.5, 4.9, float("nan"), float("inf")]), ["0-<2.5", "2.5-<5", "2.5-<5", None, None]),
        (Edges((18, 30, 45)), pa.array([17, 18, 29, 30, 45, 99, None]),
         ["under 18", "18-29", "18-29", "30-44", "45+", "45+", None]),
        (Edges((1, 2)), pa.array([0.5, 1.0, 2.0]), ["under 1", "1-<2", "2+"]),
        (Round(10), pa.array([14, 15, -4, -16, None]), [10, 20, 0, -20, None]),
        (Round(0.5), pa.array([1.2, 1.3, None]), [1.0, 1.5, None]),
        (Round(5), pa.array([2**53 + 1]), [2**53 + 3]),
        (Clip(0, 80), pa.array([-3, 40, 99, None]), [0, 40, 80, None]),
        (Clip(None, 1), pa.array([0.5, 1.5]), [0.5, 1.0]),
        (Truncate("month"), pa.array(DAYS), ["2004-05", "1999-12", None]),
        (Truncate("quarter"), pa.array(DAYS), ["2004-Q2", "1999-Q4", None]),
        (Truncate("year"), pa.array(DAYS), [2004, 1999, None]),
        (First(3), pa.array(["90210", "é☃x1", "ab", None]), ["902", "é☃x", "ab", None]),
        (PostcodeArea(), pa.array(["SW1A 1AA", " m1 1ae", "nonsense", None]), ["SW", "M", None, None]),
        (Groups({"a": "x", "b": "x"}, "rest"), pa.array(["a", "b", "c", None]), ["x", "x", "rest", None]),
        (Groups({1: "low"}, "high"), pa.array([1, 2]), ["low", "high"]),
    ],
)  # fmt: skip
def test_rules(rule: Rule, column: pa.Array, expected: list[Any]) -> None:
    treated = rule.apply(column)
    assert treated.to_pylist() == expected
    assert field_type(treated.type) == rule.result(field_type(column.type))
    assert field_type(rule.apply(column.slice(0, 0)).type) == field_type(treated.type)


def test_whole_numbers_round_exactly() -> None:
    big = 2**60 + 7
    assert Round(10).apply(pa.array([big])).to_pylist() == [(big + 5) // 10 * 10]


@given(st.lists(st.integers(-1000, 1000)), st.integers(1, 50))
def test_a_band_holds_its_values(values: list[int], width: int) -> None:
    bands = Width(width).apply(pa.array(values, pa.int64())).to_pylist()
    for value, band in zip(values, bands, strict=True):
        low = value // width * width
        assert band == (str(low) if width == 1 else f"{low}-{low + width - 1}")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Keep(), ""),
        (Width(10, 80), "in bands of 10, 80 and above together"),
        (Edges((18, 30)), "in bands with edges at 18, 30"),
        (Round(0.5), "rounded to multiples of 0.5"),
        (Clip(0, 80), "values below 0 shown as 0 and values above 80 shown as 80"),
        (Truncate("month"), "the month only"),
        (First(3), "the first 3 characters only"),
        (PostcodeArea(), "the postcode's area only"),
        (Groups({"a": "north"}, "other"), "grouped to north or other"),
    ],
)
def test_rules_say_what_they_do(rule: Rule, words: str) -> None:
    assert rule.words() == words
