"""Tables as R, Stata, SAS and pandas print them."""

import pytest

from egress_review.printed_tables import tables_in

R_TABLE = "       outcome\ngroup   alive dead\n  drug    210    4\n  placebo 199   21\n"
STATA = (
    "           |       diabetes\n      race |         0          1 |     Total\n-----------+----------------------+----------\n"
    "     White |     8,659        406 |     9,065 \n     Other |       193          7 |       200 \n"
)
PANDAS = "hiv     0   1\nsex          \nF     423   6\nM     388  41\n"
SERIES = "diagnosis\nI21    412\nG35      4\nName: count, dtype: int64\n"
TIBBLE = "  region arm         n\n  <chr>  <chr>   <int>\n1 North  control   120\n2 South  control     4\n"
FACTOR = "> summary(d$ethnicity)\n  White   Black   Mixed \n   1203     140       7 \n"


@pytest.mark.parametrize(
    ("text", "header", "last"),
    [
        (R_TABLE, ["alive", "dead"], [199, 21]),
        (STATA, ["0", "1", "Total"], [193, 7, 200]),
        (PANDAS, ["0", "1"], [388, 41]),
        (SERIES, ["count"], [4]),
        (TIBBLE, ["arm", "n"], [4]),
        (FACTOR, ["White", "Black", "Mixed"], [1203, 140, 7]),
    ],
)
def test_numbers_stand_under_their_names(text: str, header: list[str], last: list[float]) -> None:
    table = next(table for table in tables_in("", text) if not table.notes.get("log"))
    names = [name.split()[-1] for name in table.header[1:]]
    assert names == header
    assert [table.numbers(c)[-1] for c in range(1, table.width) if names[c - 1] != "arm"] == last


def test_prose_is_no_table() -> None:
    assert tables_in("", "We asked people in 2019\nand again in 4 regions, as planned.\n") == []
