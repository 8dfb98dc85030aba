"""Cells with two numbers: counts where something says so, and means left alone."""

import pytest

from egress_review import tables
from egress_review.composite_cells import counts_in


def read(text: str) -> list[list[str | None]] | None:
    (table,) = tables.from_delimited("", text.encode())
    found = counts_in(table)
    return None if found is None else [found.texts(c).to_list() for c in found.notes["counts"]]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("item,all\nFemale,210 (51%)\nDiabetes,3 (0.7%)\n", [["210", "3"]]),
        ('item,"all, N = 400"\nFemale,210 (52.5)\nAge,54 (11)\n', [["210", None]]),
        ('item,all\n"Female, n (%)",210 (52)\n"Age, mean (SD)",54 (11)\n', [["210", None]]),
        ("item,all\nFemale,51.2 (210)\nDementia,1.0 (4)\nAsthma,12.2 (50)\n", [["210", "4", "50"]]),
        ("item,treated\nMI,12/340\nStroke,3/340 (0.9%)\n", [["12", "3"], ["340", "340"]]),
        ("item,people\nmild,forty\nsevere,three\n", [["40", "3"]]),
    ],
)
def test_counts_inside_cells(text: str, counts: list[list[str | None]]) -> None:
    assert read(text) == counts


@pytest.mark.parametrize(
    "text",
    [
        "item,all\nAge,54.2 (11.0)\nBMI,27 (4)\nIncome,31 (14)\n",
        "term,estimate\nage,0.91 (0.22)\nsex,-0.03 (0.01)\n",
        "item,pressure\nmean,120/80\nmedian,118/78\n",
    ],
)
def test_means_and_estimates_are_no_counts(text: str) -> None:
    assert read(text) is None
