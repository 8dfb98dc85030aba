from __future__ import annotations

import pytest

from access_control.roles import INCLUDES, ROLES, Roles

ROWS = [
    ("ana", "researcher", "project:p17", "2026-01-01", "2026-06-30"),
    ("ana", "lead", "project:p1", "2026-01-01", "2026-12-31"),
    ("bo", "steward", "owner:acme", "2026-01-01", "2026-12-31"),
    ("eve", "admin", "*", "2026-01-01", "2026-12-31"),
]
DAY = "2026-06-01"


@pytest.mark.parametrize(
    ("person", "role", "domain", "holds"),
    [
        ("ana", "researcher", "project:p17", True),
        ("ana", "researcher", "project:p1", True),  # a lead is a researcher of the project too
        ("ana", "lead", "project:p17", False),
        ("ana", "researcher|lead", "project:p1", True),
        ("ana", "lead|steward", "project:p17", False),
        ("ana", "researcher", "project:p", False),
        ("ana", "researcher", "project:p170", False),
        ("ana", "researcher", "*", False),
        ("an", "researcher", "project:p17", False),
        ("bo", "steward", "owner:acme", True),
        ("bo", "steward", "owner:ac", False),
        ("bo", "lead-steward", "owner:acme", False),
        ("eve", "admin", "*", True),
        ("eve", "admin", "project:p17", False),
        ("eve", "", "*", False),
        ("admin", "admin", "*", False),
        ("nobody", "anyone", "anything", True),
        ("anyone", "researcher", "project:p17", False),
    ],
)
def test_links_are_exact(person: str, role: str, domain: str, holds: bool) -> None:
    assert Roles(ROWS).on(DAY).has_link(person, role, domain) is holds


@pytest.mark.parametrize(
    ("day", "holds"), [("2025-12-31", False), ("2026-01-01", True), ("2026-06-30", True), ("2026-07-01", False)]
)
def test_a_role_lasts_from_its_first_to_its_last_day(day: str, holds: bool) -> None:
    assert Roles(ROWS).on(day).has_link("ana", "researcher", "project:p17") is holds


def test_asking_adds_nothing() -> None:
    roles = Roles(ROWS)
    before = roles.sorted()
    for name in ("x", "y", "z"):
        roles.on(DAY).has_link(name, name, name)
    assert roles.sorted() == before
    with pytest.raises(AttributeError):
        roles.on(DAY).added = 1  # type: ignore[attr-defined]


def test_days_are_kept_and_not_without_end() -> None:
    roles = Roles(ROWS)
    assert roles.on(DAY) is roles.on(DAY)
    for number in range(500):
        roles.on(f"2026-{number:05}")
    assert len(roles._days) <= 66


def test_people_of_a_domain() -> None:
    roles = Roles(ROWS)
    assert roles.people("project:p17") == ["ana"]
    assert roles.people("project:p") == []
    assert set(INCLUDES) <= set(ROLES)
