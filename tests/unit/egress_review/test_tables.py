import json

import numpy as np
import pytest

from egress_review import printed_tables, tables


def test_numbers_are_read_as_people_write_them():
    (table,) = tables.from_delimited("", b'group,n,coef\na,"1,234",0.5**\nb,12 %,(0.3)\nc,x,\n')
    assert table.header == ["group", "n", "coef"]
    np.testing.assert_array_equal(table.numbers(1), [1234, 12, np.nan])
    np.testing.assert_array_equal(table.numbers(2), [0.5, 0.3, np.nan])


def test_a_cross_table_keeps_its_numeric_header():
    (table,) = tables.from_delimited("", b"sex,0,1\nF,10,20\nM,30,40\n")
    assert (table.header, table.height) == (["sex", "0", "1"], 2)


def test_two_tables_in_one_file():
    assert [t.height for t in tables.from_delimited("", b"a,b\n1,2\n\nc,d\n3,4\n5,6\n")] == [1, 2]


@pytest.mark.parametrize("letter", ["a", "ä"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_large_file_is_read_in_every_encoding(letter, encoding):
    lines = ["name;n", *(f"{letter}{row};{row}" for row in range(40_000))]
    (table,) = tables.from_delimited("", "\n".join(lines).encode(encoding))
    assert (table.header, table.height) == (["name", "n"], 40_000)
    assert table.columns[0][-1] == f"{letter}39999"


def test_a_large_file_with_zero_bytes_is_no_text():
    assert tables.from_delimited("", b"a,b\n" + b"1,2\n" * 60_000 + b"\x00,1\n") == []


def test_printed_tables_are_found():
    text = "Results\n\nsex    0    1\nF     10   20\nM     30   40\n\n| a | n |\n|---|---|\n| x | 5 |\n| y | 6 |\n"
    found = printed_tables.tables_in("", text)
    assert [(t.height, t.width) for t in found] == [(2, 3), (2, 2)]


def test_json_in_every_shape():
    value = {"rows": [{"a": 1, "b": 2}, {"a": 3, "b": 4}], "columns": {"a": [1, 2, 3], "b": [4, 5, 6]}, "r2": 0.5}
    shapes = {(t.height, t.width) for t in tables.extract_bytes(json.dumps(value).encode(), "json")}
    assert {(2, 2), (3, 2)} <= shapes


def test_a_wide_file_is_read_as_a_whole():
    data = b"a,b,c\n" + b"1,2,3\n" * 100_000
    (table,) = tables.extract_bytes(data, "csv")
    assert (table.height, table.width) == (100_000, 3)
