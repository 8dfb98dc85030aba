"""Writes one of the oracle's worlds into a database, the way the lifecycle does."""

from __future__ import annotations

from datetime import UTC, datetime

from policy_oracle import World, to_row
from sqlalchemy import Engine

from access_control import models as m
from access_control.database import Base, open_database, writing
from access_control.models import touch

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def new_database(folder) -> Engine:
    engine = open_database(f"sqlite:///{folder}/enclave.sqlite")
    Base.metadata.create_all(engine)
    return engine


def policy_row(rule) -> m.PolicyRow:
    row = to_row(rule)
    values = row._asdict()
    del values["agreement"]
    return m.PolicyRow(**{**values, "start": rule.start, "until": rule.until})


def write_world(engine: Engine, world: World) -> None:
    with writing(engine) as db:
        for owner in sorted({"home", *(data.owner for data in world.datasets.values())}):
            db.add(m.Organisation(id=owner, title=owner, region="EU"))
        db.flush()
        for name, human in world.people.items():
            db.add(
                m.Person(
                    id=name, name=name, email=name, affiliation="home", region=human.region, suspended=human.suspended
                )
            )
        db.flush()
        for name, human in world.people.items():
            for start, until, level in human.clearances:
                db.add(
                    m.Clearance(person_id=name, level=level, start=start, until=until, accredited_by="x", source="x")
                )
            for course, start, until in human.trainings:
                db.add(m.Training(person_id=name, course=course, start=start, until=until, source="x"))
            for role, domain, start, until in human.roles:
                db.add(m.Role(person_id=name, role=role, domain=domain, start=start, until=until, source="x"))
        for name, work in world.projects.items():
            db.add(
                m.Project(
                    id=name, title=name, tier=work.tier, region="EU", purposes=work.purposes, state=work.state,
                    start=work.start, until=work.until,
                )
            )  # fmt: skip
        for name, data in world.datasets.items():
            db.add(
                m.Dataset(
                    id=name, title=name, owner_id=data.owner, tier=4, permitted_use=data.permitted,
                    required_trainings=data.trainings, embargo_until=data.embargo, retention_until=data.retention,
                )
            )  # fmt: skip
        db.flush()
        for name, data in world.datasets.items():
            for short, tier in data.renditions.items():
                one = f"{name}/{short}"
                db.add(m.Rendition(id=one, dataset_id=name, name=short, title=one, tier=tier, spec=""))
                db.flush()
                db.add(version_of(one, 1))
        for rule in world.rules:
            db.add(policy_row(rule))
        touch(db)


def version_of(rendition: str, number: int, *, project: str | None = None, state: str = "published", path: str = ""):
    return m.RenditionVersion(
        rendition_id=rendition, dataset_version=1, project_id=project, number=number,
        path=path or f"renditions/{rendition}/{number}", files={"data.parquet": "00"}, rows=1, columns=[], quality=[],
        uniqueness={}, state=state, published_by="x", published_at=NOW,
    )  # fmt: skip
