"""The functions of the matcher, one by one: exact names, inclusive days, nothing where nothing is known."""

from __future__ import annotations

import pytest

from access_control import facts
from access_control.facts import DataFacts, PersonFacts, ProjectFacts, Version

DAY, BEFORE, AFTER = "2026-06-01", "2026-05-31", "2026-06-02"
NAMES = ("data:hiv/ps", "data:hiv")


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ("any", True),
        ("data:hiv/ps", True),
        ("data:hiv", True),
        ("data:hi|data:hiv", True),
        ("data:hi", False),
        ("data:hiv/p", False),
        ("data:hiv/ps2", False),
        ("data:hi|data:hiv2", False),
        ("ANY", False),
        ("", False),
        ("|", False),
        ("*", False),
    ],
)
def test_names(listed: str, found: bool) -> None:
    assert facts.names(listed, NAMES) is found


def test_only_any_names_a_thing_without_names() -> None:
    assert facts.names("any", ())
    assert not facts.names("project:p17", ())


@pytest.mark.parametrize(
    ("listed", "found"), [("any", True), ("EU", True), ("UK|EU", True), ("E", False), ("EUR", False), ("", False)]
)
def test_lists(listed: str, found: bool) -> None:
    assert facts.lists(listed, "EU") is found


@pytest.mark.parametrize(
    ("listed", "values", "found"),
    [
        ("any", set(), True),
        ("cancer", set(), False),
        ("cancer|quality", {"quality"}, True),
        ("cancer", {"can"}, False),
        ("", {"cancer"}, False),
    ],
)
def test_overlaps(listed: str, values: set[str], found: bool) -> None:
    assert facts.overlaps(listed, uses(values)) is found


@pytest.mark.parametrize(
    ("listed", "values", "found"),
    [
        ("any", set(), True),
        ("cancer", set(), False),
        ("cancer", {"cancer"}, True),
        ("cancer", {"cancer", "quality"}, False),
        ("quality|cancer", {"cancer", "quality"}, True),
        ("cancer", {"can"}, False),
        ("DUO:0000042", {"DUO:0000007", "DUO:0000011"}, True),
        ("DUO:0000007", {"DUO:0000006"}, False),
        ("", {"cancer"}, False),
    ],
)
def test_a_row_covers_a_project_only_when_it_lists_each_of_its_purposes(
    listed: str, values: set[str], found: bool
) -> None:
    assert facts.covers(listed, uses(values)) is found


@pytest.mark.parametrize(
    ("values", "licence", "found"),
    [
        ({"cancer"}, set(), True),
        ({"cancer"}, {"cancer"}, True),
        ({"cancer"}, {"quality"}, False),
        ({"cancer", "quality"}, {"quality"}, False),
        ({"cancer", "quality"}, {"quality", "cancer"}, True),
        ({"DUO:0000007"}, {"DUO:0000006"}, True),
        ({"DUO:0000042"}, {"DUO:0000006"}, False),
        (set(), {"quality"}, False),
    ],
)
def test_a_licence_permits_each_purpose_of_a_project_or_none(values: set[str], licence: set[str], found: bool) -> None:
    assert facts.permitted(uses(values), frozenset(licence)) is found


def uses(purposes: set[str]) -> facts.Uses:
    return facts.ProjectFacts("p", (), "", 0, "active", "2026-01-01", "2026-12-31", frozenset(purposes)).uses


@pytest.mark.parametrize(
    ("clearances", "level"),
    [
        ((), 0),
        (((DAY, DAY, 3),), 3),
        (((BEFORE, BEFORE, 3),), 0),
        (((AFTER, AFTER, 3),), 0),
        (((BEFORE, AFTER, 4), (DAY, AFTER, 2)), 2),
        (((BEFORE, BEFORE, 1), (DAY, AFTER, 2)), 2),
    ],
)
def test_clearance_is_the_lowest_that_holds_today(clearances: tuple[tuple[str, str, int], ...], level: int) -> None:
    assert facts.clearance(PersonFacts("ana", "EU", clearances=clearances), DAY) == level


@pytest.mark.parametrize(
    ("courses", "found"),
    [("any", True), ("gdpr", True), ("gdpr|sdc", False), ("old", False), ("coming", False), ("gd", False), ("", False)],
)
def test_every_course_has_to_be_valid_today(courses: str, found: bool) -> None:
    trainings = {"gdpr": ((BEFORE, DAY),), "old": ((BEFORE, BEFORE),), "coming": ((AFTER, AFTER),)}
    assert facts.trained(PersonFacts("ana", "EU", trainings=trainings), courses, DAY) is found


@pytest.mark.parametrize(
    ("state", "start", "until", "found"),
    [
        ("active", DAY, DAY, True),
        ("active", AFTER, AFTER, False),
        ("active", BEFORE, BEFORE, False),
        ("suspended", DAY, DAY, False),
        ("Active", DAY, DAY, False),
        ("", DAY, DAY, False),
    ],
)
def test_a_project_is_active_within_its_dates(state: str, start: str, until: str, found: bool) -> None:
    assert facts.active(ProjectFacts("p", ("project:p",), "", 4, state, start, until, frozenset()), DAY) is found


def test_embargo_and_retention_include_their_last_day() -> None:
    data = DataFacts("d", ("data:d",), embargo=DAY, retention=DAY)
    assert [facts.released(data, day) for day in (BEFORE, DAY, AFTER)] == [False, False, True]
    assert [facts.retained(data, day) for day in (BEFORE, DAY, AFTER)] == [True, True, False]


@pytest.mark.parametrize("act", ["review", "lead-review"])
def test_an_admin_of_today_judges_no_outputs(act: str) -> None:
    assert not facts.impartial(PersonFacts("eve", "EU", admin=((DAY, DAY),)), act, DAY)
    assert facts.impartial(PersonFacts("eve", "EU", admin=((BEFORE, BEFORE),)), act, DAY)
    assert facts.impartial(PersonFacts("eve", "EU", admin=((DAY, DAY),)), "steward", DAY)


def test_own_work_and_own_projects_are_not_judged() -> None:
    person = PersonFacts("ana", "EU", projects=frozenset({"p1"}))
    output = DataFacts("output", ("output",))
    assert facts.independent(person, output)
    assert not facts.independent(person, DataFacts("output", ("output",), author="ana"))
    assert not facts.independent(person, DataFacts("output", ("output",), project="p1"))
    assert facts.independent(person, DataFacts("output", ("output",), author="an", project="p17"))


def test_the_newest_version_is_the_first_that_is_for_the_project() -> None:
    versions = tuple(Version(number, project, "", {}) for number, project in ((3, None), (2, "p1"), (1, "p1")))
    shared = DataFacts("d", ("data:d",), versions=versions)
    keyed = DataFacts("d", ("data:d",), versions=versions, per_project=True)
    assert shared.newest("p1") is versions[0]
    assert keyed.newest("p1") is versions[1]
    assert keyed.newest("p") is None
