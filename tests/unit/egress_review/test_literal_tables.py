"""Values written out in programs and strings become tables, as the search of source rows wants them."""

import pytest

from egress_review import tables
from egress_review.literal_tables import strung_in, tables_in

ROWS = [
    ["920", "43", "2.04"],
    ["1170", "18", "4.0"],
    ["810", "14", "1.78"],
    ["940", "40", "2.42"],
    ["1180", "11", "2.61"],
]


def rows(table: tables.Table) -> list[list[str]]:
    return [[table.cell(row, column) for column in range(table.width)] for row in range(table.height)]


@pytest.mark.parametrize(
    "text",
    [
        "DATA = " + str([{"sat": a, "hours": b, "gpa": c} for a, b, c in ROWS]),
        "x = [" + ", ".join(f"({', '.join(row)})" for row in ROWS) + "]",
        "INSERT INTO t VALUES " + ",".join(f"({','.join(row)})" for row in ROWS) + ";",
        "\n".join(
            f"{name} <- c({', '.join(row[i] for row in ROWS)})" for i, name in enumerate(("sat", "hours", "gpa"))
        ),
        "\n".join(f"sat{a}_hours{b}_gpa{c}" for a, b, c in ROWS),
        "\n".join("-".join(row) for row in ROWS),
    ],
)
def test_values_are_laid_out(text: str) -> None:
    assert ROWS in [rows(table) for table in tables_in("", text)]


def test_cells_are_cut_apart() -> None:
    (table,) = tables.from_delimited("", ("id,key\n" + "\n".join(f"a,{'-'.join(row)}" for row in ROWS)).encode())
    assert ROWS in [rows(found) for found in strung_in(table)]


def test_words_give_no_table() -> None:
    assert tables_in("", "We fitted three models.\nTwo of them (linear, logistic) held.\n") == []
