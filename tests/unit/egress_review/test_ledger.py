import polars as pl
import pytest

from egress_review import ledger, ledger_store, tables
from egress_review.ledger import CountTable, count_table, differences
from egress_review.tables import Table


def counts(name: str, text: str) -> CountTable:
    (table,) = tables.from_delimited("", text.encode())
    found = count_table(name, table)
    assert found is not None
    return found


BASE = "sex,region,n\nf,north,40\nf,south,60\nm,north,55\nm,south,80\n"


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (BASE, []),
        (BASE.replace("40", "41"), [("region north, sex f, n", (40, 41))]),
        (BASE.replace("40", "51"), []),
        (BASE.replace("n\n", "count\n", 1).replace("40", "37"), [("region north, sex f, n", (40, 37))]),
        ("Region,Sex,N\nNorth,F,42\n", [("region north, sex f, n", (40, 42))]),
        ("sex,n\nf,103\nm,135\n", [("sex f, n", (100, 103))]),
        ("sex,region,n\nf,north,40\nf,south,60\nf,Total,100\nm,north,55\nm,south,80\nm,Total,135\n", []),
        ("region,n\nnorth,95\nsouth,147\n", [("region south, n", (140, 147))]),
        ("sex,age,n\nf,old,40\nf,young,61\n", []),  # neither's keys are a part of the other's: nothing is comparable
        ("job,n\nnurse,41\n", []),
    ],
)
def test_what_two_tables_give_away(other: str, found: list[tuple[str, tuple[int, int]]]) -> None:
    result = differences(counts("new", BASE), counts("old", other), 10)
    assert [(each.place, each.counts) for each in result] == found
    assert all(each.size < 10 for each in result)


def test_a_finer_new_table_is_added_up_too() -> None:
    result = differences(counts("new", "sex,n\nf,103\nm,135\n"), counts("old", BASE), 10)
    assert [(each.place, each.counts) for each in result] == [("sex f, n", (103, 100))]


def test_cross_tables_are_joined_by_row_and_column() -> None:
    one, two = "sex,yes,no\nf,30,50\nm,40,60\n", "sex,yes,no\nf,30,52\nm,40,60\n"
    (found,) = differences(counts("a", one), counts("b", two), 10)
    assert (found.place, found.counts, found.size) == ("sex f, no", (50, 52), 2)


@pytest.mark.parametrize(
    ("text", "variables", "cells"),
    [
        ("sex,n,mean\nf,10,1.5\nm,20,2.5\n", ("sex",), 2),
        ("year,sex,n\n2001,f,10\n2002,f,20\n", ("sex", "year"), 2),
        ("age,n\n20,15\n21,30\n", ("age",), 2),
        ("sex,n\nf,*\nm,20\nx,30\n", ("sex",), 2),
        ("name,mean\na,1.5\n", None, 0),
        ("name,change\na,-5\n", None, 0),
    ],
)
def test_keys_and_counts(text: str, variables: tuple[str, ...] | None, cells: int) -> None:
    (table,) = tables.from_delimited("", text.encode())
    found = count_table("t", table)
    assert (found.variables if found else None) == variables
    assert (len(found.cells) if found else 0) == cells


def test_a_large_table_is_no_table_of_counts() -> None:
    column = pl.Series("n", range(ledger.MAX_CELLS + 1))
    assert count_table("t", Table("", ["n"], [column])) is None


def test_rows_survive_the_database() -> None:
    table = counts("t", BASE)
    assert ledger.from_rows("t", list(table.variables), table.as_rows()) == table


def test_rounded() -> None:
    assert ledger.all_rounded([counts("t", BASE)], 5)
    assert not ledger.all_rounded([counts("t", BASE.replace("40", "41"))], 5)
    assert not ledger.all_rounded([], 5)


def test_findings_name_both_tables_and_are_cut() -> None:
    many = "k,n\n" + "".join(f"a{n},{n + 100}\n" for n in range(60))
    other = "k,n\n" + "".join(f"a{n},{n + 101}\n" for n in range(60))
    found = ledger_store.compare([counts("new.csv", many)], [counts("REL-0001, old.csv", other)], 10)
    assert len(found) == ledger_store.MAX_SHOWN
    assert "new.csv" in found[0].where
    assert "REL-0001, old.csv" in found[0].message
    assert "1 person" in found[0].message
    assert ledger_store.compare([counts("a", many)], [counts("b", many)], 10) == []
