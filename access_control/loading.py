"""Reads policy and facts from the database: columns, not objects, so that 200,000 rows load in a second."""

from __future__ import annotations

import gc
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import Any

from sqlalchemy import String, Text, cast, func, literal, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from access_control import models
from access_control.errors import Refused
from access_control.facts import ANY, DataFacts, PersonFacts, ProjectFacts, Span, Version
from access_control.roles import Roles
from access_control.rows import NO_AGREEMENT, Row, Rows
from access_control.validation import COLUMNS, RowReader, check_rows, known_days, read_policy, to_row

_DAYS = known_days()  # a database that writes days in another order must not be compared with

STANDING = Path(__file__).with_name("standing.csv")


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of one moment; `by_dataset` lists the renditions of each dataset."""

    people: dict[str, PersonFacts]
    projects: dict[str, ProjectFacts]
    renditions: dict[str, DataFacts]
    by_dataset: dict[str, tuple[str, ...]]
    roles: Roles


def _day(column: InstrumentedAttribute[Any]) -> Any:
    return cast(column, String)


def read_change(db: Session) -> int:
    """The number that grows with each commit that can change a decision."""
    return db.execute(select(models.ChangeCount.number).where(models.ChangeCount.id == 1)).scalar() or 0


def read_number(db: Session) -> int:
    """The number of the policy version in force; 0 before the first."""
    return db.execute(select(func.max(models.PolicyVersion.number))).scalar() or 0


@lru_cache(1)
def standing_rows() -> tuple[Row, ...]:
    """The rows that come with the enclave: which role has which duty. Raises Refused when the file was damaged."""
    try:
        rows, errors = read_policy(STANDING.read_text(), standing=True)
    except OSError as error:
        raise Refused(f"{STANDING.name} cannot be read: {error.strerror}. Restore it from the release.") from error
    if errors or not rows:
        raise Refused(f"{STANDING.name} is not valid; restore it from the release. " + "; ".join(errors))
    return tuple(to_row(row) for row in rows)


def read_rows(db: Session, previous: Rows | None = None) -> Rows:
    """The rows in force, checked; with `previous` only those that differ from it are looked at again.

    Raises Refused with every error when any row is wrong: a policy is in force whole or not at all.
    """
    standing = standing_rows()
    try:
        if previous is None:
            rows = [*standing, *RowReader().read(_stored(db))]
            made = Rows.of(rows)
            if len(made.by_id) != len(rows):
                raise _twice()
            return made
        left = dict(previous.by_id)
        fresh = [one for one in _stored(db) if left.pop(one[0], None) != one]
        if any(one.id not in left for one in standing):
            raise _twice()
        replaced = [one[0] for one in fresh if one[0] in previous.by_id]
        gone = left.keys() - {one.id for one in standing}
        return previous.changed(RowReader().read(fresh), [*gone, *replaced])
    except (ValueError, AttributeError, TypeError) as error:
        named = [dict(zip(COLUMNS, one, strict=True)) for one in sorted(_stored(db))]
        errors = check_rows(named, taken=[one.id for one in standing]) or [str(error)]
        raise Refused("The policy in the database is not valid and nothing is allowed: " + "; ".join(errors)) from error


def _stored(db: Session, *where: Any) -> Iterator[tuple[str, ...]]:
    """The stored rows in the order of COLUMNS, straight from the driver: every column is text, nothing to convert."""
    row = models.PolicyRow
    return _plain(
        db,
        select(
            row.id, row.eft, row.role, row.project, row.data, row.act, row.purpose, row.region,
            _day(row.start), _day(row.until), row.training, func.coalesce(row.agreement_id, literal(NO_AGREEMENT)),
        ).where(*where),
    )  # fmt: skip


def _plain(db: Session, wanted: Any) -> Iterator[tuple[Any, ...]]:
    """What the driver gives, as it gives it: a row object apiece would cost more than the reading itself."""
    result = db.connection().execute(wanted)
    with closing(result):
        cursor = result.cursor
        if cursor is None:
            raise Refused("The policy in the database cannot be read: the driver gave no rows.")
        while chunk := cursor.fetchmany(5_000):
            yield from chunk


def _twice() -> ValueError:
    return ValueError("a row has the id of one of the rows that come with the enclave; give it another")


def _spans(
    db: Session, only: str | None, holder: InstrumentedAttribute[Any], *columns: Any
) -> dict[str, list[tuple[Any, ...]]]:
    found: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for person, *values in _plain(db, _of(select(holder, *columns), holder, only)):
        found[person].append(tuple(intern(one) if isinstance(one, str) else one for one in values))
    return found


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Keeps Python's cycle collector from walking, again and again, over the objects of a policy that is being read.

    They hold no cycles, and the walks are half the time of loading 200,000 rows. Frozen and at once unfrozen, they
    count as long-lived: else the first walk after the reading would still go over all of them.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            if gc.get_freeze_count() == 0:  # what another part of the process has frozen stays so
                gc.freeze()
                gc.unfreeze()
            gc.enable()


@lru_cache(4096)
def _list(text: str) -> tuple[str, ...]:
    values = json.loads(text)
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise Refused(
            f"A list of words in the database is {text!r}, so nothing is allowed; correct the project or dataset."
        )
    return tuple(intern(one) for one in values)


def _json(column: InstrumentedAttribute[Any]) -> Any:
    """The text of a JSON column: most lists are alike, and each is decoded once."""
    return type_coerce(cast(column, Text), Text)


def read_facts(db: Session) -> Facts:
    """People, projects, renditions and roles as they are at this moment."""
    held = _held(db, None)
    roles = Roles(held)
    return Facts(people=_people(db, None, held, roles), projects=_projects(db), roles=roles, **_renditions(db))


def read_facts_of(db: Session, person: str) -> Facts:
    """What the duties of one person rest on: that person and the projects, no renditions."""
    held = _held(db, person)
    roles = Roles(held)
    return Facts(_people(db, person, held, roles), _projects(db), renditions={}, by_dataset={}, roles=roles)


def read_duty_rows(db: Session) -> Rows:
    """The rows that can decide on a duty: those that come with the enclave, and every stored row but allows, which
    only ever let a session mount. Raises Refused when one of them is wrong.
    """
    try:
        return Rows.of([*standing_rows(), *RowReader().read(_stored(db, models.PolicyRow.eft != "allow"))])
    except (ValueError, AttributeError, TypeError) as error:
        raise Refused(f"The policy in the database is not valid and nothing is allowed: {error}") from error


def _held(db: Session, person: str | None) -> list[tuple[str, str, str, str, str]]:
    role = models.Role
    wanted = select(role.person_id, role.role, role.domain, _day(role.start), _day(role.until))
    found = _plain(db, _of(wanted, role.person_id, person))
    return [
        (one, intern(name), intern(domain), _DAYS[start], _DAYS[until]) for one, name, domain, start, until in found
    ]


def _of(wanted: Any, column: InstrumentedAttribute[Any], person: str | None) -> Any:
    return wanted if person is None else wanted.where(column == person)


def _people(
    db: Session, only: str | None, held: Iterable[tuple[str, str, str, str, str]], roles: Roles
) -> dict[str, PersonFacts]:
    clearance, training, person = models.Clearance, models.Training, models.Person
    levels = _spans(db, only, clearance.person_id, _day(clearance.start), _day(clearance.until), clearance.level)
    passed = _spans(db, only, training.person_id, training.course, _day(training.start), _day(training.until))
    admin: defaultdict[str, list[Span]] = defaultdict(list)
    for holder, role, domain, start, until in held:
        if role == "admin" and domain == "*":
            admin[holder].append((start, until))
    people = {}
    # What many people have in common is kept once.
    same_clearances: dict[Any, tuple[tuple[Any, ...], ...]] = {}
    same_trainings: dict[Any, dict[str, tuple[Span, ...]]] = {}
    wanted = _of(select(person.id, person.region, person.suspended), person.id, only)
    for name, region, suspended in _plain(db, wanted):
        courses: defaultdict[str, tuple[Span, ...]] = defaultdict(tuple)
        for course, start, until in sorted(passed.get(name, ())):
            courses[course] += ((_DAYS[start], _DAYS[until]),)
        clearances = tuple(sorted((_DAYS[start], _DAYS[until], level) for start, until, level in levels.get(name, ())))
        people[intern(name)] = PersonFacts(
            id=intern(name),
            region=intern(region),
            suspended=bool(suspended),
            clearances=same_clearances.setdefault(clearances, clearances),
            trainings=same_trainings.setdefault(tuple(courses.items()), dict(courses)),
            projects=frozenset(
                intern(domain.removeprefix("project:"))
                for domain in roles.domains.get(name, ())
                if domain.startswith("project:")
            ),
            admin=tuple(sorted(admin.get(name, ()))),
        )
    return people


def _projects(db: Session) -> dict[str, ProjectFacts]:
    project = models.Project
    found = _plain(
        db,
        select(
            project.id, project.title, project.tier, project.state, _day(project.start), _day(project.until),
            _json(project.purposes),
        ),
    )  # fmt: skip
    return {
        project_id: ProjectFacts(
            project_id,
            (intern(f"project:{project_id}"),),
            title,
            tier,
            state,
            _DAYS[start],
            _DAYS[until],
            frozenset(_list(uses)),
        )
        for project_id, title, tier, state, start, until, uses in found
    }


def _renditions(db: Session) -> dict[str, Any]:
    dataset, rendition, version = models.Dataset, models.Rendition, models.RenditionVersion
    versions: defaultdict[str, list[Version]] = defaultdict(list)
    published = select(version.rendition_id, version.number, version.project_id, version.path, _json(version.files))
    for rendition_id, number, project_id, path, files in _plain(
        db, published.where(version.state == "published").order_by(version.number.desc())
    ):
        if _below_root(path):
            versions[rendition_id].append(Version(number, project_id, path, json.loads(files)))
    renditions: dict[str, DataFacts] = {}
    by_dataset: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    found = _plain(
        db,
        select(
            rendition.id, rendition.title, rendition.tier, rendition.per_project, dataset.id, dataset.title,
            dataset.owner_id, _json(dataset.required_trainings), _json(dataset.permitted_use),
            _day(dataset.embargo_until), _day(dataset.retention_until),
        )
        .join(dataset, rendition.dataset_id == dataset.id)
        .order_by(rendition.id),
    )  # fmt: skip
    for one, title, tier, per_project, dataset_id, dataset_title, owner, courses, uses, embargo, retention in found:
        renditions[one] = DataFacts(
            id=one,
            names=(intern(f"data:{one}"), intern(f"data:{dataset_id}")),
            title=title or dataset_title,
            dataset=dataset_id,
            owner=owner,
            tier=tier,
            trainings="|".join(_list(courses)) or ANY,
            embargo=_DAYS[embargo or "0001-01-01"],
            retention=_DAYS[retention or "9999-12-31"],
            permitted=frozenset(_list(uses)),
            per_project=bool(per_project),
            versions=tuple(versions.get(one, ())),
        )
        by_dataset[dataset_id] += (one,)
    return {"renditions": renditions, "by_dataset": dict(by_dataset)}


def _below_root(path: str) -> bool:
    return bool(path) and not path.startswith("/") and ".." not in path.split("/") and "\0" not in path
