"""The index leaves out only rows that could not have matched."""

from __future__ import annotations

import random

import pytest

from access_control.facts import names
from access_control.rows import Row, Rows


def row(row_id: str, project: str, data: str, eft: str = "allow") -> Row:
    return Row(row_id, eft, "researcher", project, data, "mount", "any", "any", "2026-01-01", "2026-12-31")


PROJECTS = ["any", "project:p1", "project:p17", "project:p1|project:p17", "project:p1|project:p1"]
DATA = ["any", "data:hiv", "data:hi", "data:hiv/ps", "data:hi|data:hiv/ps", "data:hiv|data:hiv"]


@pytest.mark.parametrize("seed", range(20))
def test_candidates_are_exactly_the_rows_that_name_project_and_data(seed: int) -> None:
    dice = random.Random(seed)
    rows = [row(f"R-{at}", dice.choice(PROJECTS), dice.choice(DATA)) for at in range(dice.randint(0, 30))]
    for projects in ((), ("project:p1",), ("project:p17",), ("project:p",)):
        for data in (("data:hiv/ps", "data:hiv"), ("data:hi/ps", "data:hi"), ("output",)):
            found = Rows.of(rows).candidates(projects, data)
            assert set(found) == {one for one in rows if names(one.project, projects) and names(one.data, data)}


def test_the_order_of_candidates_is_always_the_same() -> None:
    rows = [row(f"R-{at}", "project:p1", "data:hiv") for at in range(20)]
    expected = Rows.of(rows).candidates(("project:p1",), ("data:hiv",))
    random.Random(1).shuffle(rows)
    assert Rows.of(rows).candidates(("project:p1",), ("data:hiv",)) == expected


def test_a_change_leaves_the_old_rows_as_they_were() -> None:
    old = Rows.of([row("A", "any", "data:hiv"), row("B", "project:p1", "data:hiv")])
    new = old.changed([row("C", "project:p1", "data:hiv")], ["A", "not-there"])
    assert [one.id for one in old.candidates(("project:p1",), ("data:hiv",))] == ["B", "A"]
    assert [one.id for one in new.candidates(("project:p1",), ("data:hiv",))] == ["B", "C"]
    assert (len(old), len(new)) == (2, 2)


def test_two_rows_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="two rows have the id A"):
        Rows.of([row("A", "any", "any")]).changed([row("A", "any", "data:hiv")], [])


def test_what_allow_rows_name() -> None:
    rows = Rows.of([row("A", "any", "data:hi"), row("B", "project:p1", "data:hiv"), row("C", "any", "data:x", "deny")])
    assert rows.data_named(("project:p1",)) == {"data:hi", "data:hiv"}
    assert rows.data_named(("project:p17",)) == {"data:hi"}
