"""One immutable state of policy and facts, and every question that may be asked of it, without reading the database."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from access_control import enforcer
from access_control.conditions import CONDITIONS, MODEL, Request
from access_control.decisions import Decision, Mount, Refusal
from access_control.errors import Invalid, Refused
from access_control.facts import ANY, DataFacts, ProjectFacts, Version
from access_control.loading import (
    Facts,
    collector_at_rest,
    read_change,
    read_duty_rows,
    read_facts,
    read_facts_of,
    read_number,
    read_rows,
)
from access_control.rows import NO_AGREEMENT, Row, Rows
from access_control.validation import MOUNT, check_rows, to_row

# What each duty is about, and where its role is held.
DUTIES: dict[str, tuple[str, str]] = {
    "administer": ("enclave", "*"),
    "audit": ("enclave", "*"),
    "lead-review": ("output", "owner"),
    "open": ("workspace", "project"),
    "review": ("output", "owner"),
    "seed": ("enclave", "*"),
    "steward": ("access", "owner"),
}


class Snapshot:
    """An immutable snapshot, safe to share between threads. Every yes is Casbin's; whatever goes wrong is a no."""

    def __init__(
        self,
        rows: Rows,
        facts: Facts,
        data_root: Path,
        *,
        number: int = 0,
        change: int = 0,
        latest_day: Callable[[], date] | None = None,
    ) -> None:
        """`latest_day`, where given, is the latest day seen so far: no question is decided for a day before it."""
        self.rows = rows
        self.facts = facts
        self.number = number
        self.change = change
        self._root = str(data_root)
        self._data_root = data_root
        self._latest_day = latest_day

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the model, the rows and the facts: what a decision rested on. Computed when first asked for."""
        whole = hashlib.sha256(MODEL.read_bytes())
        for row in sorted(self.rows):
            whole.update("\x1f".join(row).encode() + b"\n")
        facts = self.facts
        for kind in (facts.people, facts.projects, facts.renditions):
            for value in (kind[key] for key in sorted(kind)):
                parts = (getattr(value, name) for name in value.__slots__)
                whole.update(
                    repr([sorted(one) if isinstance(one, frozenset) else one for one in parts]).encode() + b"\n"
                )
        whole.update(repr(facts.roles.sorted()).encode())
        return whole.hexdigest()

    def day(self, today: date) -> str:
        """The day to decide for, as ISO text: a clock that jumped back opens nothing again."""
        if self._latest_day is not None:
            today = max(today, self._latest_day())
        return today.isoformat()

    def decide(self, person: str, project: str, data: str, act: str, today: date) -> Decision:
        """May `person`, working in `project`, do `act` ("mount") to `data` ("hiv/pseudonymised") on that day?"""
        question = self.question(person, project, data, act, today)
        return question if isinstance(question, Decision) else self._decide(question)

    def question(self, person: str, project: str, data: str, act: str, today: date) -> Request | Decision:
        """The question as the model takes it, or the refusal where a person, project or rendition is not known."""
        user = self.facts.people.get(person)
        if user is None:
            return Decision(False, None, f"there is no person {person!r}")
        work = self.facts.projects.get(project)
        if work is None:
            return Decision(False, None, f"there is no project {project!r}")
        thing = self.facts.renditions.get(data) if act == MOUNT else _DUTY_DATA.get(data)
        if thing is None:
            return Decision(
                False, None, f"there is no rendition {data!r}" if act == MOUNT else f"nobody may {act} {data!r}"
            )
        day = self.day(today)
        return Request(user, work, thing, act, work.names[0], day, self.facts.roles.on(day))

    def candidates(self, question: Request) -> list[Row]:
        """The rows that can matter to a question."""
        return self.rows.candidates(question.project.names, question.data.names)

    def _decide(self, question: Request) -> Decision:
        rows = self.candidates(question)
        allowed, row, trouble = enforcer.ask(rows, question)
        if trouble or (allowed and row is None):
            return Decision(False, None, trouble or "no row could be named that allows it, so the answer is no")
        if row is not None:
            return Decision(
                allowed, row.id, f"{row.id} allows it until {row.until}" if allowed else f"{row.id} denies it"
            )
        row, at = closest(rows, question)
        if row is None:
            return Decision(False, None, f"no row of the policy gives {question.data.id} to {question.project.id}")
        return Decision(False, None, f"{row.id} does not apply: {CONDITIONS[at].failing(question, row)}")

    def _covered(self, project: ProjectFacts) -> list[str]:
        """The renditions of which some allow row of the project speaks, sorted."""
        facts = self.facts
        found: set[str] = set()
        for name in self.rows.data_named(project.names):
            if name == ANY:
                return sorted(facts.renditions)
            bare = name.removeprefix("data:")
            found.update((bare,) if bare in facts.renditions else facts.by_dataset.get(bare, ()))
        return sorted(found)

    def mounts(self, person: str, project: str, today: date) -> list[Mount]:
        """What a session of that person in that project sees today: the newest published version of each rendition."""
        user, work = self.facts.people.get(person), self.facts.projects.get(project)
        if user is None or work is None:
            return []
        day = self.day(today)
        roles = self.facts.roles.on(day)
        found: list[tuple[DataFacts, Version, Row]] = []
        several: dict[str, int] = {}
        for rendition in self._covered(work):
            data = self.facts.renditions[rendition]
            version = data.newest(project)
            if version is None:
                continue
            question = Request(user, work, data, MOUNT, work.names[0], day, roles)
            allowed, row, _ = enforcer.ask(self.candidates(question), question)
            if allowed and row is not None:
                found.append((data, version, row))
                several[data.dataset] = several.get(data.dataset, 0) + 1
        return [
            Mount(
                dataset_id=data.dataset,
                rendition=data.id,
                version=version.number,
                source=f"{self._root}/{version.path}",
                target=f"/data/{data.id if several[data.dataset] > 1 else data.dataset}",
                files=version.files,
                row_id=row.id,
                agreement_id=None if row.agreement == NO_AGREEMENT else row.agreement,
                tier=data.tier,
                reason=f"{row.id} allows it until {row.until}",
            )
            for data, version, row in found
        ]

    def still(self, person: str, project: str, mount: Mount, today: date) -> Decision:
        """May a running session keep `mount`? A newer version does not take it away; a withdrawn version does."""
        data = self.facts.renditions.get(mount.rendition)
        wanted = (mount.version, project if data is not None and data.per_project else None, mount.source)
        held = {(one.number, one.project, f"{self._root}/{one.path}") for one in data.versions} if data else set()
        if wanted not in held:
            return Decision(False, None, f"version {mount.version} of {mount.rendition} is withdrawn")
        return self.decide(person, project, mount.rendition, MOUNT, today)

    def refusals(self, person: str, project: str, today: date) -> list[Refusal]:
        """The renditions that some row of the project speaks of and the person does not see, each with its why."""
        work = self.facts.projects.get(project)
        if work is None or person not in self.facts.people:
            return []
        found = []
        for rendition in self._covered(work):
            if (refusal := self._refusal(person, project, self.facts.renditions[rendition], today)) is not None:
                found.append(refusal)
        return found

    def _refusal(self, person: str, project: str, data: DataFacts, today: date) -> Refusal | None:
        question = self.question(person, project, data.id, MOUNT, today)
        if isinstance(question, Decision):
            return Refusal(data.id, data.title, question.reason, "an admin")
        decision = self._decide(question)
        if not decision.allowed:
            row, at = closest(self.candidates(question), question)
            if decision.row_id is not None or row is None:
                return Refusal(data.id, data.title, decision.reason, f"the stewards of {data.owner}")
            return Refusal(data.id, data.title, decision.reason, CONDITIONS[at].who(question, row))
        if data.newest(project) is None:
            sentence = f"{data.id} has no published version" + (f" for project {project}" if data.per_project else "")
            return Refusal(data.id, data.title, sentence, f"the stewards of {data.owner}")
        return None

    def may(
        self,
        person: str,
        act: str,
        today: date,
        *,
        project: str | None = None,
        owner: str | None = None,
        author: str | None = None,
    ) -> Decision:
        """Duties, decided by the same model.

        `review`, `lead-review` and `steward` need `owner`, an organisation's id: a steward has one owner's data.
        `open` needs `project`: may the person open a session there? `administer`, `audit` and `seed` need neither.
        Where `author` or `project` are given with another duty, own work and the work of a project that the person has
        ever been a member of are refused; for `administer` give as `author` whoever proposed it or gains by it.
        """
        user = self.facts.people.get(person)
        if user is None:
            return Decision(False, None, f"there is no person {person!r}")
        if act not in DUTIES:
            return Decision(False, None, f"there is no duty {act!r}")
        about, where = DUTIES[act]
        held_for = {"owner": owner, "project": project, "*": "*"}[where]
        if not held_for:
            return Decision(False, None, f"to {act} is decided for one {where}, and none was named")
        if project is not None and project not in self.facts.projects:
            return Decision(False, None, f"there is no project {project!r}")
        day = self.day(today)
        if act == "open":
            work, data = self.facts.projects[held_for], _DUTY_DATA[about]
        else:
            work = _no_project(project)
            data = DataFacts(id=about, names=(about,), owner=owner or "", author=author, project=project)
        domain = held_for if where == "*" else f"{where}:{held_for}"
        return self._decide(Request(user, work, data, act, domain, day, self.facts.roles.on(day)))

    def projects_of(self, person: str, today: date) -> list[str]:
        """The projects in which the person may open a session today, sorted."""
        user = self.facts.people.get(person)
        mine = sorted(user.projects) if user else []
        return [project for project in mine if self.may(person, "open", today, project=project).allowed]

    def members(self, project: str) -> list[str]:
        """Everyone with a role in the project, whatever its dates, sorted."""
        return self.facts.roles.people(f"project:{project}")

    def with_rows(self, add: Iterable[Mapping[str, Any]] = (), remove: Iterable[str] = ()) -> Snapshot:
        """The snapshot that a change of policy would make, for previews; keys of `add` are the columns of PolicyRow.

        Raises Invalid with every error of the rows to add.
        """
        added, removed = [dict(row) for row in add], set(remove)
        errors = check_rows(added, taken=set(self.rows.by_id) - removed)
        if errors:
            raise Invalid("; ".join(errors))
        for row in added:
            row["agreement"] = row.pop("agreement_id", None) or row.get("agreement")
        rows = self.rows.changed([to_row(row) for row in added], removed)
        return self._with(rows, self.facts, self._latest_day)

    def guarded(self, latest_day: Callable[[], date]) -> Snapshot:
        """The same snapshot, which never decides for a day before `latest_day()`."""
        return self._with(self.rows, self.facts, latest_day)

    def _with(self, rows: Rows, facts: Facts, latest_day: Callable[[], date] | None) -> Snapshot:
        return Snapshot(rows, facts, self._data_root, number=self.number, change=self.change, latest_day=latest_day)


def closest(rows: Iterable[Row], question: Request) -> tuple[Row | None, int]:
    """The allow row that gets furthest before a condition fails, and that condition's index in CONDITIONS."""
    best: tuple[Row | None, int] = (None, -1)
    for row in rows:
        if row.eft == "allow" and (question.act in row.act.split("|") or row.act == ANY):
            at = enforcer.failing(row, question)
            if at is not None and at > best[1]:
                best = (row, at)
    return best


_DUTY_DATA = {name: DataFacts(id=name, names=(name,)) for name in ("workspace", "output", "access", "enclave")}


def _no_project(project: str | None) -> ProjectFacts:
    """Stands for the project where a duty is decided: the state of the project that it is about does not end a duty."""
    names = () if project is None else (f"project:{project}",)
    return ProjectFacts(project or "the enclave", names, "", 4, "active", "0001-01-01", "9999-12-31", frozenset())


def load_snapshot(db: Session, data_root: Path, previous: Snapshot | None = None) -> Snapshot:
    """Reads policy and facts; raises Refused when any row is invalid, listing each error.

    With `previous` only rows that changed since are checked and indexed again.
    """
    db.flush()  # what the caller changed in this transaction counts, too
    for _ in range(5):
        change = read_change(db)
        with collector_at_rest():
            rows = read_rows(db, previous.rows if previous else None)
            try:
                facts = read_facts(db)
            except (ValueError, TypeError) as error:
                raise Refused(f"A fact in the database cannot be read, so nothing is allowed: {error}") from error
        snapshot = Snapshot(rows, facts, data_root, number=read_number(db), change=change)
        # Where a transaction does not read from one snapshot, a commit may have come between the selects.
        if read_change(db) == change:
            return snapshot
    raise Refused("The policy changed five times while it was read; try again in a moment.")


def load_duties(db: Session, person: str) -> Snapshot:
    """A snapshot that answers may() for that one person, from a few small queries however large the policy is.

    For checks inside a transaction: it sees what the transaction has changed. It knows no renditions and no one else.
    """
    db.flush()
    return Snapshot(
        read_duty_rows(db), read_facts_of(db, person), Path("/"), number=read_number(db), change=read_change(db)
    )
