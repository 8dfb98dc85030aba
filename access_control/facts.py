"""The facts that decisions rest on, as small immutable objects, and the functions by which the matcher reads them.

Days are ISO text (`2026-06-01`): they compare as days do, and come from the database without conversion. Every interval
includes its first and its last day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from access_control.terms import with_broader

ANY = "any"
Span = tuple[str, str]  # first day, last day
Uses = tuple[frozenset[str], ...]  # each purpose together with the terms that are broader
REVIEW_ACTS = frozenset({"review", "lead-review"})


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person; `projects` are all they are, were or will be a member of, `admin` when they hold that role."""

    id: str
    region: str
    suspended: bool = False
    clearances: tuple[tuple[str, str, int], ...] = ()
    trainings: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    projects: frozenset[str] = frozenset()
    admin: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """A project; `names` is what a row's project column may say of it."""

    id: str
    names: tuple[str, ...]
    title: str
    tier: int
    state: str
    start: str
    until: str
    purposes: frozenset[str]
    uses: Uses = field(init=False)  # what the purposes are compared by

    def __post_init__(self) -> None:
        object.__setattr__(self, "uses", tuple(with_broader(one) for one in sorted(self.purposes)))


@dataclass(frozen=True, slots=True)
class Version:
    """A published version of a rendition; `project` where its pseudonyms are keyed by project."""

    number: int
    project: str | None
    path: str
    files: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DataFacts:
    """A rendition, or what a duty is about (an output, a request for access, the enclave).

    `names` carries the rendition and its dataset, so that one withdrawal of the dataset covers all renditions. `author`
    and `project` are set where independence matters.
    """

    id: str
    names: tuple[str, ...]
    title: str = ""
    dataset: str = ""
    owner: str = ""
    tier: int = 0
    trainings: str = ANY
    embargo: str = "0001-01-01"  # its last day
    retention: str = "9999-12-31"
    permitted: frozenset[str] = frozenset()
    per_project: bool = False
    versions: tuple[Version, ...] = ()  # newest first
    author: str | None = None
    project: str | None = None

    def newest(self, project: str) -> Version | None:
        """The version that a new session of that project gets."""
        for version in self.versions:
            if version.project == (project if self.per_project else None):
                return version
        return None


def names(listed: str, known: tuple[str, ...]) -> bool:
    """Whether a row's column names the thing: `any`, or one of its names exactly."""
    if listed == ANY or listed in known:
        return True
    return "|" in listed and any(name in known for name in listed.split("|"))


def lists(listed: str, value: str) -> bool:
    """Whether a row's column lists that value: `any`, or the value exactly."""
    return listed in (ANY, value) or ("|" in listed and value in listed.split("|"))


def overlaps(listed: str, uses: Uses) -> bool:
    """Whether a row's column lists one of the uses, or a broader one; `any` does even where there are none."""
    if listed == ANY:
        return True
    terms = listed.split("|")
    return any(not use.isdisjoint(terms) for use in uses)


def covers(listed: str, uses: Uses) -> bool:
    """Whether a row's column lists every one of the uses, or a broader one; where there are none only `any` does."""
    return listed == ANY or _each(uses, listed.split("|"))


def active(project: ProjectFacts, today: str) -> bool:
    """Whether work goes on in the project today."""
    return project.state == "active" and project.start <= today <= project.until


def clearance(person: PersonFacts, today: str) -> int:
    """The person's tier today: 0 without a clearance; the lower where two overlap, which should not be."""
    levels = [level for start, until, level in person.clearances if start <= today <= until]
    return min(levels) if levels else 0


def trained(person: PersonFacts, courses: str, today: str) -> bool:
    """Whether the person has passed every one of the courses, and none has run out."""
    if courses == ANY:
        return True
    return all(
        any(start <= today <= until for start, until in person.trainings.get(course, ()))
        for course in courses.split("|")
    )


def released(data: DataFacts, today: str) -> bool:
    """Whether the data's embargo is over."""
    return today > data.embargo


def retained(data: DataFacts, today: str) -> bool:
    """Whether the data may still be kept."""
    return today <= data.retention


def permitted(uses: Uses, permitted_use: frozenset[str]) -> bool:
    """Whether every use, or a broader one, is a permitted use of the data; without any listed, all are."""
    return not permitted_use or _each(uses, permitted_use)


def _each(uses: Uses, terms: Iterable[str]) -> bool:
    return bool(uses) and not any(use.isdisjoint(terms) for use in uses)


def impartial(person: PersonFacts, act: str, today: str) -> bool:
    """Whether the person may judge outputs at all: who gives access today does not also say what leaves."""
    return act not in REVIEW_ACTS or not any(start <= today <= until for start, until in person.admin)


def independent(person: PersonFacts, data: DataFacts) -> bool:
    """Whether this is neither the person's own work nor that of a project they are, were or will be a member of."""
    return data.author != person.id and (data.project is None or data.project not in person.projects)


FUNCTIONS = {
    function.__name__: function
    for function in (
        names, lists, overlaps, covers, active, clearance, trained, released, retained, permitted, impartial,
        independent,
    )
}  # fmt: skip
