"""Roles as Casbin's `g` sees them: immutable, exact, within their dates; no name is ever a role by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

ANYONE = "anyone"
ROLES = ("researcher", "lead", "steward", "lead-steward", "admin", "auditor")
# What holding a role brings with it, in the same domain and for the same dates.
INCLUDES: dict[str, tuple[str, ...]] = {"lead": ("researcher",), "lead-steward": ("steward",)}

Held = tuple[str, str, str]  # role, start, until; days as ISO text, which sorts as the days do


class Roles:
    """All roles of all people, whatever their dates."""

    __slots__ = ("_days", "_held", "_people", "domains")

    def __init__(self, rows: Iterable[tuple[str, str, str, str, str]]) -> None:
        """`rows` are (person, role, domain, start, until)."""
        held: defaultdict[tuple[str, str], list[Held]] = defaultdict(list)
        domains: defaultdict[str, set[str]] = defaultdict(set)
        for person, role, domain, start, until in rows:
            for name in (role, *INCLUDES.get(role, ())):
                held[person, domain].append((name, start, until))
            domains[person].add(domain)
        alike: dict[tuple[Held, ...], tuple[Held, ...]] = {}  # most people hold the same role for the same dates
        self._held: dict[tuple[str, str], tuple[Held, ...]] = {}
        for key, values in held.items():
            whole = tuple(sorted(set(values)))
            self._held[key] = alike.setdefault(whole, whole)
        self.domains = {person: tuple(sorted(values)) for person, values in domains.items()}
        people: defaultdict[str, list[str]] = defaultdict(list)
        for person in sorted(self.domains):
            for domain in self.domains[person]:
                people[domain].append(person)
        self._people = dict(people)
        self._days: dict[str, RolesOn] = {}

    def held(self, person: str, domain: str) -> tuple[Held, ...]:
        """What the person holds, has held or will hold in that domain."""
        return self._held.get((person, domain), ())

    def people(self, domain: str) -> list[str]:
        """Everyone with a role in that domain, whatever its dates, sorted."""
        return list(self._people.get(domain, ()))

    def sorted(self) -> list[tuple[tuple[str, str], tuple[Held, ...]]]:
        """All of it, in an order that is always the same."""
        return sorted(self._held.items())

    def on(self, today: str) -> RolesOn:
        """The role manager of one day."""
        day = self._days.get(today)
        if day is None:
            if len(self._days) > 64:
                self._days = {}
            day = self._days[today] = RolesOn(self._held, today)
        return day


class RolesOn:
    """What Casbin asks for `g(person, role, domain)`: the roles of one day. Nothing can be added to it."""

    __slots__ = ("_held", "_today")

    def __init__(self, held: dict[tuple[str, str], tuple[Held, ...]], today: str) -> None:
        self._held = held
        self._today = today

    def has_link(self, name1: str, name2: str, domain: str) -> bool:
        """Whether person `name1` holds a role of `name2` (alternatives separated by `|`) in `domain` on this day."""
        if name2 == ANYONE:
            return True
        today = self._today
        for role, start, until in self._held.get((name1, domain), ()):
            if start <= today <= until and (role == name2 or ("|" in name2 and role in name2.split("|"))):
                return True
        return False
