"""The people, projects and agreements of demo and tests. Their data are in hub/demo/datasets.py.

Every function may be called again: what is there already is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import agreements, clock, people, projects
from access_control.changes import SETUP
from access_control.models import Agreement, Organisation, Person, Project, Rendition
from access_control.renditions import ensure_materialised
from access_control.settings import Settings

TRAINING = "safe-researcher"
WHY = "demo"


@dataclass(frozen=True)
class DemoPerson:
    """A person with the roles they hold, as (role, domain)."""

    id: str
    name: str
    affiliation: str
    region: str
    clearance: int
    roles: tuple[tuple[str, str], ...] = ()
    trained: bool = True


@dataclass(frozen=True)
class DemoProject:
    """A project; `state` is where it is moved to after it was added."""

    id: str
    title: str
    tier: int
    purposes: tuple[str, ...]
    description: str = ""
    region: str = "EU"
    state: str = "active"


@dataclass(frozen=True)
class DemoAgreement:
    """An agreement between the university and an owner over renditions for one project."""

    title: str
    project: str
    owner: str
    renditions: tuple[str, ...]
    purposes: tuple[str, ...]
    regions: tuple[str, ...] = ("EU", "UK")
    conditions: str = field(default="Results are published as aggregates. No attempt is made to identify anyone.")


ORGANISATIONS = {
    "health-institute": ("Institute of Health Data", "EU"),
    "labour-office": ("Office of Labour Statistics", "EU"),
    "north-university": ("University of the North", "EU"),
    "enclave": ("The enclave's own staff", "EU"),
}

PEOPLE = (
    DemoPerson(
        "ana",
        "Ana Ferreira",
        "north-university",
        "EU",
        3,
        (
            ("researcher", "project:smoking"),
            ("researcher", "project:wages"),
            ("researcher", "project:empty"),
            ("researcher", "project:paused"),
        ),
    ),
    DemoPerson("bo", "Bo Lindqvist", "north-university", "EU", 1, (("researcher", "project:smoking"),)),
    DemoPerson("cem", "Cem Yilmaz", "north-university", "EU", 2, (("lead", "project:wages"),)),
    DemoPerson("dora", "Dora Novak", "north-university", "EU", 3, (("lead", "project:smoking"),)),
    DemoPerson("sol", "Sol Marin", "health-institute", "EU", 4, (("lead-steward", "owner:health-institute"),)),
    DemoPerson("sam", "Sam Okoye", "health-institute", "EU", 4, (("steward", "owner:health-institute"),)),
    DemoPerson("tia", "Tia Laine", "labour-office", "EU", 4, (("lead-steward", "owner:labour-office"),)),
    DemoPerson("tom", "Tom Weiss", "labour-office", "EU", 4, (("steward", "owner:labour-office"),)),
    DemoPerson("eve", "Eve Moreau", "enclave", "EU", 0, (("admin", "*"),)),
    DemoPerson("adam", "Adam Kowalski", "enclave", "EU", 0, (("admin", "*"),)),
    DemoPerson("ivy", "Ivy Brandt", "enclave", "EU", 0, (("auditor", "*"),)),
)

PROJECTS = (
    DemoProject("smoking", "Giving up smoking, and what follows", 3, ("HMB",), "Health after giving up smoking."),
    DemoProject("wages", "School, work and wages", 2, ("GRU",), "What schooling and unions do for wages."),
    DemoProject("empty", "A project that waits for its data", 1, ("GRU",), "No dataset is granted to it yet."),
    DemoProject("paused", "A project that was suspended", 1, ("GRU",), state="suspended"),
)


def build_people(db: Session) -> None:
    """Organisations, projects, and people with their clearance, training and roles."""
    today = clock.today()
    until = today + timedelta(days=3 * 365)
    for org, (title, region) in ORGANISATIONS.items():
        if db.get(Organisation, org) is None:
            people.add_organisation(db, id=org, title=title, region=region, actor=SETUP)
    for project in PROJECTS:
        _project(db, project, today, until)
    for person in PEOPLE:
        _person(db, person, today, until)


def _project(db: Session, project: DemoProject, today: date, until: date) -> None:
    if db.get(Project, project.id) is not None:
        return
    projects.add_project(
        db,
        id=project.id,
        title=project.title,
        tier=project.tier,
        region=project.region,
        purposes=list(project.purposes),
        start=today,
        until=until,
        actor=SETUP,
        description=project.description,
        ethics_reference="ETH-2026-014",
        contract_reference="CON-2026-031",
        assessment_reference="DPIA-2026-009",
    )
    projects.set_project_state(db, project.id, "active", reason=WHY, actor=SETUP)
    if project.state != "active":
        projects.set_project_state(db, project.id, project.state, reason=WHY, actor=SETUP)


def _person(db: Session, person: DemoPerson, today: date, until: date) -> None:
    if db.get(Person, person.id) is not None:
        return
    people.add_person(
        db,
        id=person.id,
        name=person.name,
        email=f"{person.id}@{person.affiliation}.example",
        affiliation=person.affiliation,
        region=person.region,
        actor=SETUP,
    )
    people.set_clearance(db, person.id, level=person.clearance, start=today, until=until, source=WHY)
    if person.trained:
        people.record_training(
            db, person.id, course=TRAINING, start=today, until=until, source="certificate", actor=SETUP
        )
    for role, domain in person.roles:
        people.grant_role(db, person.id, role=role, domain=domain, start=today, until=until, source=WHY)


AGREEMENTS = (
    DemoAgreement(
        "Giving up smoking", "smoking", "health-institute", ("nhefs/pseudonymised", "randhie/open"), ("HMB",)
    ),
    DemoAgreement("Wages of young men", "wages", "labour-office", ("wagepan/pseudonymised", "gpa2/full"), ("GRU",)),
)


def build_agreements(db: Session, settings: Settings) -> list[str]:
    """Agreements, signed on paper by every party, and the renditions as their projects see them; returns the ids."""
    today = clock.today()
    ids = []
    for one in AGREEMENTS:
        found = db.scalars(
            select(Agreement).where(Agreement.project_id == one.project, Agreement.title == one.title)
        ).first()
        if found is None:
            found = _agreement(db, one, today, today + timedelta(days=2 * 365))
        ids.append(found.id)
        for rendition in one.renditions:
            declared = db.get(Rendition, rendition)
            if declared is not None and declared.per_project:
                ensure_materialised(db, settings, rendition, one.project, actor=SETUP)
    return ids


def _agreement(db: Session, one: DemoAgreement, start: date, until: date) -> Agreement:
    parties = [one.owner, "north-university"]
    drafted = agreements.draft_agreement(
        db,
        title=one.title,
        project=one.project,
        parties=parties,
        renditions=list(one.renditions),
        purposes=list(one.purposes),
        regions=list(one.regions),
        start=start,
        until=until,
        actor=SETUP,
        conditions=one.conditions,
    )
    for party in parties:
        agreements.sign_agreement(db, drafted.id, party=party, actor=SETUP, reason="signed on paper")
    return drafted
