"""A small enclave for the tests of the review queue, built with the services themselves. Every transaction commits.

acme owns `hiv` (tier 3), globex owns `pay` (tier 1). ana and lea work in p17, which may see hiv; bea in p18, which may see
pay. sam, sue and sid are acme's stewards and lou leads them; gil and gus are globex's. eve and adam are admins.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import agreements, audit, clock, people, projects
from access_control.database import Base, open_database, reading, writing
from access_control.models import Dataset, Rendition, RenditionVersion, SessionRecord
from access_control.settings import Profile, Settings
from access_control.snapshot import load_snapshot
from egress_review import requests, reviews
from egress_review.findings import FileResult, Finding, verdict_of
from egress_review.models import Release, ReleaseRequest, RequestFile
from egress_review.states import State

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY = NOON.date()
LATER = TODAY + timedelta(days=365)
STEWARDS = ("sam", "sue", "sid")
PEOPLE = {
    "ana": "uni", "lea": "uni", "bea": "uni", "sam": "acme", "sue": "acme", "sid": "acme", "lou": "acme",
    "gil": "globex", "gus": "globex", "eve": "acme", "adam": "uni", "olga": "uni",
}  # fmt: skip
ROLES = (
    ("ana", "researcher", "project:p17"), ("lea", "lead", "project:p17"), ("bea", "lead", "project:p18"),
    ("sam", "steward", "owner:acme"), ("sue", "steward", "owner:acme"), ("sid", "steward", "owner:acme"),
    ("lou", "lead-steward", "owner:acme"), ("gil", "steward", "owner:globex"), ("gus", "steward", "owner:globex"),
    ("eve", "admin", "*"), ("adam", "admin", "*"), ("olga", "auditor", "*"),
)  # fmt: skip


def plain_checker(
    settings: Settings,
    files: Sequence[tuple[Path, str]],
    *,
    profile: Profile,
    datasets: Sequence[tuple[str, int]] = (),
    peers: Sequence[str] | None = None,
    sources: Sequence[Any] = (),
) -> list[FileResult]:
    """Checks without a sandbox, for tests of what comes after: the word `warns` or `blocks` in a file is a finding."""
    results = []
    for path, name in files:
        text = path.read_bytes()
        found = [
            Finding("word", severity, name, f"It says {severity}.", "Don't.")
            for severity in ("warns", "blocks")
            if severity.encode() in text
        ]
        kind = "csv" if name.endswith(".csv") else "text"
        results.append(FileResult(name, verdict_of(found), found, kind, {"size": len(text)}))
    return results


def plain_rewriter(path: Path, kind: str, settings: Settings | None = None) -> bytes | None:
    """A canonical form that differs from the original by its line ends; files that say `uncanonical` have none."""
    data = path.read_bytes()
    return None if b"uncanonical" in data else data.replace(b"\r\n", b"\n")


class World:
    def __init__(self, root: Path, *, build: bool = True, **egress: Any) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.settings = Settings.model_validate({"data_root": str(root), "egress": egress})
        self.engine = open_database(self.settings.database)
        self.at = NOON
        clock.set_clock(lambda: self.at)
        if build:
            Base.metadata.create_all(self.engine)
            with writing(self.engine) as db:
                self._build(db)
            for project, person in (("p17", "ana"), ("p17", "lea"), ("p18", "bea")):
                (self.settings.workspaces / project / person).mkdir(parents=True)

    def close(self) -> None:
        clock.set_clock(lambda: datetime.now(UTC))
        self.engine.dispose()

    def _build(self, db: Session) -> None:
        setup: dict[str, Any] = {"actor": "<setup>"}
        for organisation in ("acme", "globex", "uni"):
            people.add_organisation(db, id=organisation, title=organisation.title(), region="EU", **setup)
        for person, home in PEOPLE.items():
            people.add_person(
                db, id=person, name=person.title(), email=f"{person}@{home}.example", affiliation=home, region="EU",
                **setup,
            )  # fmt: skip
        for project in ("p17", "p18"):
            projects.add_project(
                db, id=project, title=project.upper(), tier=3, region="EU", purposes=["HMB", "GRU"], start=TODAY,
                until=LATER, ethics_reference="IRB-7", contract_reference="C-7", assessment_reference="DPIA-7", **setup,
            )  # fmt: skip
        for person, role, domain in ROLES:
            people.grant_role(
                db, person, role=role, domain=domain, start=TODAY - timedelta(days=1), until=LATER, source="letter"
            )
        for person in ("ana", "lea", "bea"):
            people.set_clearance(db, person, level=3, start=TODAY, until=LATER, source="letter")
        for project in ("p17", "p18"):
            projects.set_project_state(db, project, "active", reason="approved", **setup)
        db.add_all((
            Dataset(id="hiv", title="HIV", owner_id="acme", tier=3, citation="Acme (2026). HIV."),
            Dataset(id="pay", title="Pay", owner_id="globex", tier=1),
        ))  # fmt: skip
        db.flush()
        for rendition, tier, steward in (("hiv/full", 3, "sam"), ("pay/full", 1, "gil")):
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
                    published_by=steward,
                    published_at=self.at,
                )
            )
        db.flush()

    def agree(self, rendition: str, project: str, party: str, steward: str, lead: str) -> str:
        """An agreement in force for one rendition in one project; returns its id."""
        drafted = self.do(
            agreements.draft_agreement, title="T", project=project, parties=[party, "uni"], renditions=[rendition],
            purposes=["HMB", "GRU"], regions=["EU"], start=TODAY, until=LATER, actor=steward,
        )  # fmt: skip
        self.do(agreements.sign_agreement, drafted.id, party=party, actor=steward)
        self.do(agreements.sign_agreement, drafted.id, party="uni", actor=lead)
        return str(drafted.id)

    def open_to(self, *renditions: str) -> None:
        """Agreements for renditions in p17, and a session of ana's that has them mounted."""
        for rendition in renditions:
            owner, steward = {"hiv/full": ("acme", "sam"), "pay/full": ("globex", "gil")}[rendition]
            self.agree(rendition, "p17", owner, steward, "lea")
        if renditions:
            self.session("ana", "p17")

    def session(self, person: str, project: str) -> None:
        """A session that has mounted what the person sees now."""
        with writing(self.engine) as db:
            mounts = load_snapshot(db, self.settings.data_root).mounts(person, project, clock.today())
            db.add(
                SessionRecord(
                    id=uuid.uuid4().hex,
                    person_id=person,
                    project_id=project,
                    tier=3,
                    state="ended",
                    mounts=[mount.as_dict() for mount in mounts],
                    started_at=self.at,
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

    def write(self, name: str, data: bytes | str, *, project: str = "p17", person: str = "ana") -> Path:
        """Puts a file into a workspace."""
        path = self.settings.workspaces / project / person / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def draft(self, files: dict[str, str], *, project: str = "p17", author: str = "ana") -> str:
        """A draft with these files (name -> text) from the workspace."""
        request = self.do(
            requests.create_draft, self.settings, project_id=project, title="Table 1", purpose="Paper", actor=author
        )
        for name, text in files.items():
            self.write(name, text, project=project, person=author)
            self.do(requests.add_files, self.settings, request.id, [name], context="Counts of all people", actor=author)
        return str(request.id)

    def submit(self, request_id: str, author: str = "ana") -> State:
        return requests.submit(
            self.engine, self.settings, request_id, actor=author, checker=plain_checker, rewriter=plain_rewriter
        )

    def submitted(self, files: dict[str, str] | None = None, **where: str) -> str:
        request_id = self.draft(files or {"table.csv": "sex,n\r\nf,120\r\nm,135\r\n"}, **where)
        assert self.submit(request_id, where.get("author", "ana")) is State.InReview
        return request_id

    def vote(self, request_id: str, person: str, verdict: str = "approve", name: str | None = None) -> State:
        """Votes on the named file, or on all files."""
        state = self.state(request_id)
        for file in self.files(request_id):
            if name in {None, file.name}:
                state = self.do(
                    reviews.vote, self.settings, request_id, file.id, verdict, actor=person, reason="looked at it"
                )
        return State(state)

    def released(self, files: dict[str, str] | None = None) -> str:
        """A release of ana's, approved by as many as it takes; returns its id."""
        request_id = self.submitted(files)
        for person in STEWARDS:
            if self.state(request_id) is State.InReview:
                self.vote(request_id, person)
        assert self.state(request_id) is State.Released, self.request(request_id).reason
        return self.release_of(request_id)

    def release_of(self, request_id: str) -> str:
        with reading(self.engine) as db:
            return db.scalars(select(Release.id).where(Release.request_id == request_id)).one()

    def request(self, request_id: str) -> ReleaseRequest:
        with reading(self.engine) as db:
            request = db.get_one(ReleaseRequest, request_id)
            db.expunge_all()
            return request

    def state(self, request_id: str) -> State:
        return State(self.request(request_id).state)

    def files(self, request_id: str, turn: int | None = None) -> list[RequestFile]:
        with reading(self.engine) as db:
            request = db.get_one(ReleaseRequest, request_id)
            found = requests.files_of(db, request, turn if turn is not None else request.turn)
            db.expunge_all()
            return found

    def log(self) -> list[str]:
        """The audit log's bodies, the oldest first."""
        with reading(self.engine) as db:
            return list(db.scalars(select(audit.AuditEntry.body).order_by(audit.AuditEntry.seq)))

    def wait(self, **time: float) -> None:
        """Lets time pass."""
        self.at += timedelta(**time)
