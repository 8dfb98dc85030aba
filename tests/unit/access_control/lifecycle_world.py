"""A small enclave for the tests of the lifecycle, built with the services themselves. Every transaction commits.

acme owns `hiv` (tier 2), globex owns `pay` (tier 1). lea leads p17 and ana researches in it, both of uni. sam and sue are
acme's stewards, gil is globex's; eve, adam and ada are admins, olga is auditor. Nobody sees anything yet.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import agreements, audit, clock, people, projects
from access_control.database import Base, open_database, reading, writing
from access_control.decisions import Mount
from access_control.models import Agreement, Dataset, Rendition, RenditionVersion, SessionRecord
from access_control.snapshot import load_snapshot

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY = NOON.date()
LATER = date(2027, 5, 31)
ROOT = Path("/data-root")


class World:
    def __init__(self, url: str) -> None:
        self.engine = open_database(url)
        Base.metadata.create_all(self.engine)
        self.at = NOON
        clock.set_clock(lambda: self.at)
        with writing(self.engine) as db:
            self._build(db)

    def close(self) -> None:
        clock.set_clock(lambda: datetime.now(UTC))
        self.engine.dispose()

    def _build(self, db: Session) -> None:
        setup: dict[str, Any] = {"actor": "<setup>"}
        for organisation in ("acme", "globex", "uni"):
            people.add_organisation(db, id=organisation, title=organisation.title(), region="EU", **setup)
        homes = {
            "ana": "uni", "lea": "uni", "sam": "acme", "sue": "acme", "gil": "globex", "eve": "acme", "adam": "uni",
            "ada": "uni", "olga": "uni",
        }  # fmt: skip
        for person, home in homes.items():
            people.add_person(
                db, id=person, name=person.title(), email=f"{person}@{home}.example", affiliation=home, region="EU",
                **setup,
            )  # fmt: skip
        projects.add_project(
            db, id="p17", title="Survival", tier=2, region="EU", purposes=["HMB"], start=TODAY, until=LATER,
            ethics_reference="IRB-7", contract_reference="C-7", assessment_reference="DPIA-7", **setup,
        )  # fmt: skip
        roles = (
            ("ana", "researcher", "project:p17"), ("lea", "lead", "project:p17"), ("sam", "steward", "owner:acme"),
            ("sue", "steward", "owner:acme"), ("gil", "steward", "owner:globex"), ("eve", "admin", "*"),
            ("adam", "admin", "*"), ("ada", "admin", "*"), ("olga", "auditor", "*"),
        )  # fmt: skip
        for person, role, domain in roles:
            people.grant_role(
                db, person, role=role, domain=domain, start=TODAY - timedelta(days=1), until=LATER, source="letter"
            )
        for person in ("ana", "lea"):
            people.set_clearance(db, person, level=2, start=TODAY, until=LATER, source="letter")
        projects.set_project_state(db, "p17", "active", reason="approved", **setup)
        db.add_all(
            (
                Dataset(id="hiv", title="HIV", owner_id="acme", tier=2),
                Dataset(id="pay", title="Pay", owner_id="globex", tier=1),
            )
        )
        db.flush()
        for rendition, tier in (("hiv/pseudonymised", 2), ("hiv/open", 1), ("pay/full", 1)):
            dataset, name = rendition.split("/")
            db.add(Rendition(id=rendition, dataset_id=dataset, name=name, title=name, tier=tier, spec=""))
            db.flush()
            db.add(
                RenditionVersion(
                    rendition_id=rendition,
                    dataset_version=1,
                    number=1,
                    path=f"renditions/{rendition}/1",
                    files={"data.parquet": "0" * 64},
                    rows=10,
                    columns=[],
                    quality=[],
                    uniqueness={},
                    published_by="sam",
                    published_at=self.at,
                )
            )

    def do(self, service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls a service in a transaction of its own."""
        with writing(self.engine) as db:
            return service(db, *args, **kwargs)

    def ask(self, question: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls a question that only reads."""
        with reading(self.engine) as db:
            answer = question(db, *args, **kwargs)
            db.expunge_all()
            return answer

    def sees(self, person: str, project: str = "p17") -> list[str]:
        """The renditions that the person would have mounted today."""
        with reading(self.engine) as db:
            return [mount.rendition for mount in load_snapshot(db, ROOT).mounts(person, project, clock.today())]

    def mounts(self, person: str, project: str = "p17") -> list[Mount]:
        with reading(self.engine) as db:
            return load_snapshot(db, ROOT).mounts(person, project, clock.today())

    def agreement(self, **changed: Any) -> Agreement:
        """A draft for `hiv/pseudonymised` in p17 between acme and uni."""
        values: dict[str, Any] = {
            "title": "HIV for Survival", "project": "p17", "parties": ["acme", "uni"],
            "renditions": ["hiv/pseudonymised"], "purposes": ["HMB"], "regions": ["EU"], "start": TODAY, "until": LATER,
            "actor": "sam",
        }  # fmt: skip
        drafted: Agreement = self.do(agreements.draft_agreement, **(values | changed))
        return drafted

    def active_agreement(self, **changed: Any) -> Agreement:
        """The same, signed by both."""
        drafted = self.agreement(**changed)
        self.do(agreements.sign_agreement, drafted.id, party="acme", actor="sam")
        signed: Agreement = self.do(agreements.sign_agreement, drafted.id, party="uni", actor="lea")
        return signed

    def session(self, person: str, project: str = "p17") -> SessionRecord:
        """A running session with what the person sees now."""
        record = SessionRecord(
            id=f"{len(person):032x}", person_id=person, project_id=project, tier=2, state="running",
            mounts=[mount.as_dict() for mount in self.mounts(person, project)], started_at=self.at,
        )  # fmt: skip
        with writing(self.engine) as db:
            db.add(record)
        return record

    def log(self) -> list[str]:
        """The audit log's bodies, the oldest first."""
        with reading(self.engine) as db:
            return list(db.scalars(select(audit.AuditEntry.body).order_by(audit.AuditEntry.seq)))
