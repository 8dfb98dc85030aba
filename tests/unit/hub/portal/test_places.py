"""Findings lead to the cell that they name, and to nothing when it is not shown."""

import pytest

from egress_review.previews import PreviewTable
from hub.portal.places import HEADER, places

TABLE = PreviewTable("", ["group", "people", ""], [["union", "120", "x"], ["other", "3", ""], ["other", "45", ""]], 3)


@pytest.mark.parametrize(
    ("where", "message", "place"),
    [
        ("t.csv: other / people", "1 count is below 10: 3.", (1, 1)),
        ("t.csv: other / people", "2 counts are below 10; the first is 45.", (2, 1)),
        ("t.csv: row 3 / people", "1 count is below 10: 45.", (2, 1)),
        ("t.csv: union / column 3", "odd", (0, 2)),
        ("t.csv: people", "The column holds keys.", (HEADER, 1)),
        ("t.csv: nobody / people", "1 count is below 10: 3.", None),
        ("t.csv", "The file is odd.", None),
        ("other.csv: other / people", "1 count is below 10: 3.", None),
    ],
)
def test_a_finding_marks_the_cell_that_it_names(where: str, message: str, place: tuple[int, int] | None) -> None:
    found = places([{"where": where, "message": message}], TABLE, "t.csv")
    assert found == ({place: (1, message)} if place else {})


def test_findings_are_numbered_as_the_page_lists_them() -> None:
    findings = [{"where": "t.csv", "message": "a"}, {"where": "t.csv: other / people", "message": "b: 3."}]
    assert places(findings, TABLE, "t.csv") == {(1, 1): (2, "b: 3.")}


def test_a_table_with_a_name_of_its_own_is_not_mistaken_for_the_file() -> None:
    named = PreviewTable("book.xlsx, sheet A", TABLE.header, TABLE.rows, 3)
    finding = {"where": "book.xlsx, sheet A: other / people", "message": "1 count is below 10: 3."}
    assert (1, 1) in places([finding], named, "book.xlsx")
    assert places([finding], TABLE, "book.xlsx") == {}
