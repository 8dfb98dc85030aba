"""A small enclave behind the portal, built with the services, and a hub that answers as JupyterHub's REST API does.

acme owns `hiv`, globex owns `pay`. ana researches in p17, which lea leads; sam and sue are acme's stewards (sue leads),
gil is globex's; eve and adam are admins, olga is auditor; rob belongs to nothing.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from fastapi.testclient import TestClient

from access_control import agreements, clock, people, projects
from access_control.database import open_database, writing
from access_control.keeper import PolicyKeeper
from access_control.models import Dataset, DatasetVersion, Rendition, RenditionVersion, SessionRecord
from access_control.settings import Settings, Web
from hub import keys
from hub.portal.app import make_app
from hub.portal.context import Portal
from hub.portal.hubapi import HubClient, HubService
from hub.portal.logins import Logins
from hub.schema import create_tables

ORIGIN = "http://enclave.localhost:8000"
HOMES = {"ana": "uni", "lea": "uni", "rob": "uni", "sam": "acme", "sue": "acme", "gil": "globex", "eve": "acme",
         "adam": "uni", "olga": "uni"}  # fmt: skip
ROLES = (
    ("ana", "researcher", "project:p17"), ("lea", "lead", "project:p17"), ("sam", "steward", "owner:acme"),
    ("sue", "steward", "owner:acme"), ("sue", "lead-steward", "owner:acme"), ("gil", "steward", "owner:globex"),
    ("eve", "admin", "*"), ("adam", "admin", "*"), ("olga", "auditor", "*"),
)  # fmt: skip
COLUMNS = [
    {"name": "id", "type": "integer", "description": "who"},
    {"name": "age", "type": "integer", "description": ""},
]


class Hub:
    """Answers the few calls that the portal makes; tokens are `token-of-<person>` until they are revoked."""

    def __init__(self) -> None:
        self.servers: dict[str, dict[str, dict[str, Any]]] = {}
        self.revoked: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.down = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("no hub", request=request)
        path = request.url.path.removeprefix("/hub/api")
        self.asked.append((request.method, path))
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if path == "/oauth2/token":
            form = parse_qs(request.content.decode())
            code = form["code"][0]
            good = form["client_secret"][0] == "secret" and code.startswith("code-of-")
            return httpx.Response(200, json={"access_token": "token-of-" + code[8:]}) if good else httpx.Response(400)
        if path == "/user":
            person = token.removeprefix("token-of-")
            if token in self.revoked or person not in HOMES:
                return httpx.Response(403, json={"status": 403})
            scopes = ["access:services!service=portal", "read:users:name!user"]
            return httpx.Response(200, json={"kind": "user", "name": person, "scopes": scopes})
        if token != "secret":
            return httpx.Response(403, json={"message": "no"})
        person, _, server = path.removeprefix("/users/").partition("/servers/")
        mine = self.servers.setdefault(person, {})
        if not server:
            return httpx.Response(200, json={"name": person, "servers": mine})
        if request.method == "POST":
            mine[server] = {"ready": False, "pending": "spawn"}
            return httpx.Response(202)
        return httpx.Response(204 if mine.pop(server, None) else 404)


class PortalWorld:
    def __init__(self, root: Path, port: int = 8000, *, build: bool = True) -> None:
        self.settings = Settings(data_root=root, web=Web(port=port))
        self.engine = open_database(self.settings.database)
        if build:
            create_tables(self.engine)
            keys.ensure_all(self.settings)
        self.hub = Hub()
        service = HubService("http://127.0.0.1:1/hub/api", "secret", "service-portal")
        client = HubClient(service, transport=httpx.MockTransport(self.hub))
        self.logins = Logins(client.person_of, verify_seconds=0)
        keeper = PolicyKeeper(self.engine, self.settings.data_root)
        self.portal = Portal(self.settings, self.engine, keeper, client, self.logins)
        self.app = make_app(self.portal)
        if build:
            with writing(self.engine) as db:
                self._build(db)

    def _build(self, db: Any) -> None:
        today, later = clock.today(), clock.today() + timedelta(days=300)
        setup: dict[str, Any] = {"actor": "<setup>"}
        for organisation in ("acme", "globex", "uni"):
            people.add_organisation(db, id=organisation, title=organisation.title(), region="EU", **setup)
        for person, home in HOMES.items():
            people.add_person(
                db, id=person, name=person.title(), email=f"{person}@{home}.example", affiliation=home, region="EU",
                **setup,
            )  # fmt: skip
        for id_, title in (("p17", "Survival"), ("p18", "Pay gaps")):
            projects.add_project(
                db, id=id_, title=title, tier=2, region="EU", purposes=["HMB"], start=today, until=later,
                ethics_reference="IRB-7", contract_reference="C-7", assessment_reference="DPIA-7", **setup,
            )  # fmt: skip
            projects.set_project_state(db, id_, "active", reason="approved", **setup)
        for person, role, domain in ROLES:
            people.grant_role(
                db, person, role=role, domain=domain, start=today - timedelta(days=1), until=later, source="letter"
            )
        for person in ("ana", "lea"):
            people.set_clearance(db, person, level=2, start=today, until=later, source="letter")
        for dataset, owner, tier in (("hiv", "acme", 2), ("pay", "globex", 1)):
            db.add(Dataset(id=dataset, title=dataset.upper(), owner_id=owner, tier=tier, citation="Cite it."))
            db.flush()
            db.add(
                DatasetVersion(
                    dataset_id=dataset,
                    number=1,
                    path=f"datasets/{dataset}/v1",
                    sha256="0" * 64,
                    rows=4820,
                    columns=COLUMNS,
                    source_name="x.csv",
                    source_sha256="0" * 64,
                    added_by=owner,
                    added_at=clock.now(),
                )
            )
        for rendition, tier in (("hiv/pseudonymised", 2), ("hiv/open", 1), ("pay/full", 1)):
            dataset, name = rendition.split("/")
            spec = f'rendition = "{rendition}"\ntitle = "{name}"\ntier = {tier}\n[columns]\nid = "drop"\nage = "keep"\n'
            db.add(Rendition(id=rendition, dataset_id=dataset, name=name, title=name, tier=tier, spec=spec))
            db.flush()
            db.add(
                RenditionVersion(
                    rendition_id=rendition,
                    dataset_version=1,
                    number=1,
                    path=f"renditions/{rendition}/1",
                    files={"data.parquet": "0" * 64},
                    rows=10,
                    columns=COLUMNS,
                    quality=[],
                    uniqueness={"k": 4},
                    published_by="sam",
                    published_at=clock.now(),
                )
            )

    def grant(self, **changed: Any) -> str:
        """An active agreement for hiv/pseudonymised in p17."""
        today = clock.today()
        values: dict[str, Any] = {
            "title": "HIV for Survival", "project": "p17", "parties": ["acme", "uni"],
            "renditions": ["hiv/pseudonymised"], "purposes": ["HMB"], "regions": ["EU"], "start": today,
            "until": today + timedelta(days=200), "actor": "sam",
        }  # fmt: skip
        with writing(self.engine) as db:
            id_ = agreements.draft_agreement(db, **(values | changed)).id
        with writing(self.engine) as db:
            agreements.sign_agreement(db, id_, party="acme", actor="sam")
            agreements.sign_agreement(db, id_, party="uni", actor="lea")
        return str(id_)

    def running(self, person: str, project: str = "p17") -> SessionRecord:
        """A running session with what the person sees now."""
        mounts = self.portal.snapshot().mounts(person, project, clock.today())
        record = SessionRecord(
            id=f"{abs(hash(person)):032x}"[-32:], person_id=person, project_id=project, tier=2, state="running",
            mounts=[mount.as_dict() for mount in mounts], started_at=clock.now(),
        )  # fmt: skip
        with writing(self.engine) as db:
            db.add(record)
        self.hub.servers.setdefault(person, {})[project] = {"ready": True, "pending": None}
        return record

    def workspace(self, person: str, project: str = "p17") -> Path:
        """The workspace's folder, made when it is not there."""
        folder = self.settings.workspaces / project / person
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def browser(self, person: str | None = None) -> Browser:
        """A browser, logged in through the hub when a person is given."""
        browser = Browser(self)
        if person:
            browser.log_in(person)
        return browser


class Browser:
    """What a browser does: keeps cookies, sends Origin and the CSRF token of the page that it saw."""

    def __init__(self, world: PortalWorld) -> None:
        self.client = TestClient(world.app, base_url=ORIGIN, follow_redirects=False)
        self.csrf = ""

    def log_in(self, person: str) -> None:
        """The OAuth round: off to the hub with a state, back with a code."""
        off = self.client.get("/services/portal/")
        state = parse_qs(urlsplit(off.headers["location"]).query)["state"][0]
        back = self.client.get("/services/portal/oauth_callback", params={"code": f"code-of-{person}", "state": state})
        assert back.status_code == 303, back.text

    def get(self, path: str, **options: Any) -> httpx.Response:
        answer = self.client.get(f"/services/portal/{path}", **options)
        if found := re.search(r'name="csrf" value="([^"]+)"', answer.text):
            self.csrf = found[1]
        return answer

    def post(self, path: str, *, origin: str = ORIGIN, **fields: Any) -> httpx.Response:
        if not self.csrf:
            self.get("")
        return self.client.post(
            f"/services/portal/{path}", data={"csrf": self.csrf, **fields}, headers={"Origin": origin}
        )

    def after(self, answer: httpx.Response) -> httpx.Response:
        """The page that a redirect leads to."""
        assert answer.status_code == 303, answer.text
        return self.client.get(answer.headers["location"])
