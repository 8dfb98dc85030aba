"""Who may do what, a second time: plain Python over plain lists, written from the rules and not from the model.

It knows nothing of Casbin, of the index or of ISO text. `random_world` makes small worlds full of near misses: names that
begin alike, days that touch, people who are called like roles. `to_snapshot` gives the same world to the engine.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from access_control.facts import ANY, DataFacts, PersonFacts, ProjectFacts, Version
from access_control.loading import Facts, standing_rows
from access_control.roles import Roles
from access_control.rows import Row, Rows
from access_control.snapshot import Snapshot

DAY = date(2026, 6, 1)
ALWAYS = (date(2020, 1, 1), date(9999, 12, 31))


@dataclass
class Human:
    region: str = "EU"
    suspended: bool = False
    clearances: list[tuple[date, date, int]] = field(default_factory=list)
    trainings: list[tuple[str, date, date]] = field(default_factory=list)
    roles: list[tuple[str, str, date, date]] = field(default_factory=list)


@dataclass
class Work:
    tier: int = 4
    state: str = "active"
    start: date = ALWAYS[0]
    until: date = ALWAYS[1]
    purposes: list[str] = field(default_factory=lambda: ["cancer"])


@dataclass
class Collection:
    owner: str = "acme"
    trainings: list[str] = field(default_factory=list)
    permitted: list[str] = field(default_factory=list)
    embargo: date | None = None
    retention: date | None = None
    renditions: dict[str, int] = field(default_factory=dict)  # name -> tier


@dataclass
class Rule:
    id: str
    effect: str = "allow"
    role: list[str] = field(default_factory=lambda: ["researcher"])
    projects: list[str] | None = None  # None is any
    data: list[str] | None = None
    acts: list[str] | None = field(default_factory=lambda: ["mount"])
    purposes: list[str] | None = None
    regions: list[str] | None = None
    trainings: list[str] | None = None
    start: date = ALWAYS[0]
    until: date = ALWAYS[1]


@dataclass
class World:
    people: dict[str, Human] = field(default_factory=dict)
    projects: dict[str, Work] = field(default_factory=dict)
    datasets: dict[str, Collection] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)


# -- the rules ---------------------------------------------------------------------------------------------------------


def holds(person: Human, role: str, domain: str, day: date) -> bool:
    """A lead is a researcher of the project too, a lead steward a steward of the owner too."""
    if role == "anyone":
        return True
    for held, where, start, until in person.roles:
        brings = held == role or (held, role) in {("lead", "researcher"), ("lead-steward", "steward")}
        if brings and where == domain and start <= day <= until:
            return True
    return False


def has_training(person: Human, course: str, day: date) -> bool:
    return any(course == passed and start <= day <= until for passed, start, until in person.trainings)


def level(person: Human, day: date) -> int:
    return min((grade for start, until, grade in person.clearances if start <= day <= until), default=0)


def speaks_of_mount(rule: Rule, world: World, name: str, project: str, rendition: str, day: date) -> bool:
    """Whether a rule is about this person, project, rendition and day, safeguards aside."""
    person, work = world.people[name], world.projects[project]
    dataset = rendition.partition("/")[0]
    if rule.projects is not None and project not in rule.projects:
        return False
    if rule.data is not None and rendition not in rule.data and dataset not in rule.data:
        return False
    if rule.acts is not None and "mount" not in rule.acts:
        return False
    if not rule.start <= day <= rule.until:
        return False
    if not any(holds(person, role, f"project:{project}", day) for role in rule.role):
        return False
    if rule.regions is not None and person.region not in rule.regions:
        return False
    return rule.purposes is None or any(falls_under(purpose, rule.purposes) for purpose in work.purposes)


def falls_under(purpose: str, listed: list[str]) -> bool:
    """Disease research is health research, which is general research; every other term is only itself."""
    broader = {"DS": ["DS", "HMB", "GRU"], "HMB": ["HMB", "GRU"], "GRU": ["GRU"]}
    short = {"DUO:0000007": "DS", "DUO:0000006": "HMB", "DUO:0000042": "GRU"}
    names = [short.get(one, one) for one in listed]
    return any(name in names for name in broader.get(short.get(purpose, purpose), [purpose]))


def safe_to_mount(rule: Rule, world: World, name: str, project: str, rendition: str, day: date) -> bool:
    """What no agreement can set aside."""
    person, work = world.people[name], world.projects[project]
    dataset, _, short = rendition.partition("/")
    data = world.datasets[dataset]
    tier = data.renditions[short]
    if person.suspended or level(person, day) < tier or work.tier < tier:
        return False
    if work.state != "active" or day < work.start or day > work.until:
        return False
    if not all(has_training(person, course, day) for course in [*data.trainings, *(rule.trainings or [])]):
        return False
    if data.embargo is not None and day <= data.embargo:
        return False
    if data.retention is not None and day > data.retention:
        return False
    for listed in (rule.purposes, data.permitted or None):
        if listed is not None and not (work.purposes and all(falls_under(one, listed) for one in work.purposes)):
            return False
    return True


def may_mount(world: World, name: str, project: str, rendition: str, day: date) -> bool:
    about = [rule for rule in world.rules if speaks_of_mount(rule, world, name, project, rendition, day)]
    if any(rule.effect == "deny" for rule in about):
        return False
    return any(safe_to_mount(rule, world, name, project, rendition, day) for rule in about)


def may_duty(
    world: World, name: str, act: str, day: date, *, project: str | None, owner: str | None, author: str | None
) -> bool:
    """Reviews, decisions of stewards, administration, audit, and opening a session."""
    person = world.people[name]
    if person.suspended:
        return False
    if act == "open":
        if project is None:
            return False
        work = world.projects[project]
        running = work.state == "active" and work.start <= day <= work.until
        domain, thing = f"project:{project}", "workspace"
        allowed = running and (holds(person, "researcher", domain, day))
    else:
        if act in ("review", "lead-review", "steward"):
            if owner is None:
                return False
            domain = f"owner:{owner}"
            wanted = "lead-steward" if act == "lead-review" else "steward"
            thing = "access" if act == "steward" else "output"
            allowed = holds(person, wanted, domain, day)
            if act != "steward" and holds(person, "admin", "*", day):
                allowed = False
        else:
            domain, thing = "*", "enclave"
            allowed = holds(person, "admin", "*", day) or (act != "administer" and holds(person, "auditor", "*", day))
        if author == name:
            allowed = False
        if project is not None and any(where == f"project:{project}" for _, where, _, _ in person.roles):
            allowed = False
    for rule in world.rules:
        if (
            rule.effect == "deny"
            and (rule.acts is None or act in rule.acts)
            and (rule.data is None or thing in rule.data)
            and (rule.projects is None or (project is not None and project in rule.projects))
            and rule.start <= day <= rule.until
            and any(holds(person, role, domain, day) for role in rule.role)
            and (rule.regions is None or person.region in rule.regions)
            and (
                rule.purposes is None
                or (
                    act == "open"
                    and project
                    and any(falls_under(one, rule.purposes) for one in world.projects[project].purposes)
                )
            )
        ):
            return False
    return allowed


# -- random small worlds -----------------------------------------------------------------------------------------------

PEOPLE = ["ana", "an", "anab", "steward", "admin"]
PROJECTS = ["p1", "p17", "p"]
COURSES = ["gdpr", "gdpr-2"]
PURPOSES = ["cancer", "can", "DUO:0000007", "DUO:0000006", "DUO:0000042"]
REGIONS = ["EU", "E", "UK"]
OWNERS = ["acme", "ac"]
DUTY_ACTS = ["review", "lead-review", "steward", "administer", "audit", "seed", "open"]


def random_span(dice: random.Random) -> tuple[date, date]:
    if dice.random() < 0.75:
        return ALWAYS
    start = DAY + timedelta(days=dice.randint(-3, 1))
    return start, start + timedelta(days=dice.randint(0, 4))


def some(dice: random.Random, values: list[str], *, wild: float) -> list[str] | None:
    return None if dice.random() < wild else dice.sample(values, dice.randint(1, min(2, len(values))))


def random_human(dice: random.Random) -> Human:
    domains = [
        *((role, f"project:{project}") for project in PROJECTS for role in ("researcher", "lead", "steward")),
        *((role, f"owner:{owner}") for owner in OWNERS for role in ("steward", "lead-steward", "researcher")),
        ("admin", "*"), ("auditor", "*"),
    ]  # fmt: skip
    lucky = dice.random() < 0.5  # else hardly any question of a random world would be answered with yes
    return Human(
        region=dice.choice(REGIONS + ["EU"] * 2),
        suspended=dice.random() < 0.05,
        clearances=[
            (*random_span(dice), dice.randint(3 if lucky else 0, 4)) for _ in range(dice.choice([0, 1, 1, 1, 2]))
        ],
        trainings=[(course, *random_span(dice)) for course in COURSES for _ in range(dice.choice([0, 1, 1, 2]))],
        roles=[
            (*one, *random_span(dice))
            for one in dice.sample(domains[:9] if lucky else domains, dice.randint(3 if lucky else 0, 7))
        ],
    )


def random_rule(dice: random.Random, number: int) -> Rule:
    deny = dice.random() < 0.15
    names = ["hiv", "hi", "hiv/full", "hiv/fu", "hi/full"]
    start, until = random_span(dice)
    return Rule(
        id=f"R-{number}",
        effect="deny" if deny else "allow",
        role=dice.choice(
            [["researcher"], ["lead"], ["researcher", "lead"], ["anyone"], ["steward"], ["admin"]][: 6 if deny else 3]
        ),
        projects=some(dice, PROJECTS, wild=0.4),
        data=some(dice, [*names, "output", "enclave", "workspace"] if deny else names, wild=0.3),
        acts=dice.choice([None, ["mount"], ["review"], ["mount", "audit"]]) if deny else ["mount"],
        purposes=some(dice, PURPOSES, wild=0.75),
        regions=some(dice, REGIONS, wild=0.75),
        trainings=None if deny else some(dice, COURSES, wild=0.8),
        start=start,
        until=until,
    )


def random_world(dice: random.Random) -> World:
    def collection() -> Collection:
        return Collection(
            owner=dice.choice(OWNERS),
            trainings=dice.sample(COURSES, dice.choice([0, 0, 0, 1, 2])),
            permitted=dice.sample(PURPOSES, dice.choice([0, 0, 0, 1, 2])),
            embargo=DAY + timedelta(days=dice.randint(-2, 2)) if dice.random() < 0.2 else None,
            retention=DAY + timedelta(days=dice.randint(-2, 2)) if dice.random() < 0.2 else None,
            renditions={"full": dice.randint(0, 4), "fu": dice.randint(0, 2)},
        )

    works = {}
    for name in PROJECTS:
        start, until = random_span(dice)
        state = dice.choice(["active"] * 6 + ["proposed", "suspended", "closed"])
        works[name] = Work(dice.choice([1, 4, 4, 4]), state, start, until, dice.sample(PURPOSES, dice.randint(0, 3)))
    return World(
        people={name: random_human(dice) for name in PEOPLE},
        projects=works,
        datasets={"hiv": collection(), "hi": collection()},
        rules=[random_rule(dice, number) for number in range(dice.randint(0, 9))],
    )


# -- the same world for the engine -------------------------------------------------------------------------------------


def _listed(values: list[str] | None, prefix: str = "") -> str:
    return ANY if values is None else "|".join(prefix + value for value in values)


def to_row(rule: Rule) -> Row:
    data = ANY if rule.data is None else "|".join(
        one if one in ("output", "enclave", "workspace") else f"data:{one}" for one in rule.data
    )  # fmt: skip
    return Row(
        rule.id, rule.effect, "|".join(rule.role), _listed(rule.projects, "project:"), data, _listed(rule.acts),
        _listed(rule.purposes), _listed(rule.regions), rule.start.isoformat(), rule.until.isoformat(),
        _listed(rule.trainings),
    )  # fmt: skip


def to_snapshot(world: World) -> Snapshot:
    people = {}
    held = []
    for name, human in world.people.items():
        held += [
            (name, role, domain, start.isoformat(), until.isoformat()) for role, domain, start, until in human.roles
        ]
        trainings: dict[str, tuple[tuple[str, str], ...]] = {}
        for course, start, until in sorted(human.trainings):
            trainings[course] = (*trainings.get(course, ()), (start.isoformat(), until.isoformat()))
        people[name] = PersonFacts(
            id=name,
            region=human.region,
            suspended=human.suspended,
            clearances=tuple(sorted((s.isoformat(), u.isoformat(), grade) for s, u, grade in human.clearances)),
            trainings=trainings,
            projects=frozenset(where[8:] for _, where, _, _ in human.roles if where.startswith("project:")),
            admin=tuple(
                sorted((s.isoformat(), u.isoformat()) for r, where, s, u in human.roles if (r, where) == ("admin", "*"))
            ),
        )
    projects = {
        name: ProjectFacts(
            name, (f"project:{name}",), name, work.tier, work.state, work.start.isoformat(), work.until.isoformat(),
            frozenset(work.purposes),
        )
        for name, work in world.projects.items()
    }  # fmt: skip
    renditions = {}
    for dataset, data in world.datasets.items():
        for short, tier in data.renditions.items():
            one = f"{dataset}/{short}"
            renditions[one] = replace(
                DataFacts(
                    id=one, names=(f"data:{one}", f"data:{dataset}"), title=one, dataset=dataset, owner=data.owner
                ),
                tier=tier,
                trainings="|".join(data.trainings) or ANY,
                embargo=data.embargo.isoformat() if data.embargo else "0001-01-01",
                retention=data.retention.isoformat() if data.retention else "9999-12-31",
                permitted=frozenset(data.permitted),
                versions=(Version(1, None, f"renditions/{one}/1", {"data.parquet": "00"}),),
            )
    facts = Facts(
        people=people,
        projects=projects,
        renditions=renditions,
        by_dataset={
            name: tuple(f"{name}/{short}" for short in data.renditions) for name, data in world.datasets.items()
        },
        roles=Roles(held),
    )
    return Snapshot(Rows.of([*standing_rows(), *map(to_row, world.rules)]), facts, Path("/srv/enclave"))


def differences(dice: random.Random, worlds: int) -> tuple[int, int, list[str]]:
    """Compares every question in that many random worlds: (decisions, allowed, what differed)."""
    decisions = allowed = 0
    wrong: list[str] = []
    for _ in range(worlds):
        world = random_world(dice)
        snapshot = to_snapshot(world)
        day = DAY + timedelta(days=dice.randint(-2, 2))
        for name in PEOPLE:
            for project in PROJECTS:
                seen = {mount.rendition for mount in snapshot.mounts(name, project, day)}
                for rendition in snapshot.facts.renditions:
                    expected = may_mount(world, name, project, rendition, day)
                    found = snapshot.decide(name, project, rendition, "mount", day).allowed
                    decisions += 1
                    allowed += expected
                    if found is not expected or (rendition in seen) is not expected:
                        wrong.append(f"{name} {project} {rendition} {day}: expected {expected}, found {found}: {world}")
            for act in DUTY_ACTS:
                project = dice.choice([None, *PROJECTS])
                owner, author = dice.choice([None, *OWNERS, *OWNERS]), dice.choice([None, *PEOPLE])
                expected = may_duty(world, name, act, day, project=project, owner=owner, author=author)
                found = snapshot.may(name, act, day, project=project, owner=owner, author=author).allowed
                decisions += 1
                allowed += expected
                if found is not expected:
                    wrong.append(
                        f"{name} {act} {project} {owner} {author} {day}: expected {expected}, found {found}: {world}"
                    )
    return decisions, allowed, wrong
