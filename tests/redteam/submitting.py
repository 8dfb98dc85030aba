"""The road of a submission: picking files on the running enclave, in ways that its pages don't offer too."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from access_control import clock, people
from access_control.database import reading, writing
from egress_review import release, requests, reviews
from egress_review.errors import EgressError
from egress_review.models import Release, ReleaseFile, ReleaseRequest, RequestFile
from egress_review.store import Store
from hub.tour.browser import Browser
from tests.redteam.inside import Inside
from tests.running import Enclave

STEWARDS = ("sam", "sol")
CONTEXT = "Counts of people by group, rounded to 5"
API = "/services/portal/api/"


def workspace(enclave: Enclave, project: str = "smoking", person: str = "ana") -> Path:
    """The workspace as the host sees it."""
    return enclave.settings.workspaces / project / person


def fresh(name: str = "attack") -> str:
    """A name that no other attack uses."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def table() -> str:
    """A harmless table whose variable no other table has, so that no two are compared."""
    return f"{fresh('group')},n\nwent on,1160\ngave up,405\n"


def write(inside: Inside, name: str, data: bytes | str) -> None:
    """Writes a file of the workspace from within."""
    content = data.encode() if isinstance(data, str) else data
    code = f"import os; p='/workspace/'+{name!r}; os.makedirs(os.path.dirname(p), exist_ok=True)\n"
    done = inside.python(code + f"open(p, 'wb').write({content!r})")
    assert done.worked, done.output


def draft(enclave: Enclave, *patterns: str, author: str = "ana", project: str = "smoking", title: str = "Table") -> str:
    """A draft with what these patterns match; raises what the enclave raises."""
    with writing(enclave.engine) as db:
        row = requests.create_draft(
            db, enclave.settings, project_id=project, title=title, purpose="A paper", actor=author
        )
        for pattern in patterns:
            requests.add_files(db, enclave.settings, row.id, [pattern], context=CONTEXT, actor=author)
        return str(row.id)


def submit(enclave: Enclave, request: str, author: str = "ana") -> list[RequestFile]:
    """Submits a draft with the real checks; the files as they were kept."""
    requests.submit(enclave.engine, enclave.settings, request, actor=author)
    return files_of(enclave, request)


def files_of(enclave: Enclave, request: str) -> list[RequestFile]:
    """The files of a request's current turn."""
    with reading(enclave.engine) as db:
        row = db.get_one(ReleaseRequest, request)
        found = requests.files_of(db, row, row.turn)
        db.expunge_all()
        return found


def state_of(enclave: Enclave, request: str) -> str:
    """The state of a request."""
    with reading(enclave.engine) as db:
        return db.get_one(ReleaseRequest, request).state


def refusal(enclave: Enclave, name: str) -> str:
    """What is said when this is picked; fails when it is taken."""
    try:
        request = draft(enclave, name)
    except EgressError as error:
        return str(error)
    raise AssertionError(f"{name!r} was picked in {request}")


def refusal_after_swap(enclave: Enclave, inside: Inside, name: str, swap: str) -> str:
    """What is said when an innocent file is picked and something else put in its place before it is submitted.

    `swap` is a script run in the file's folder, where the file is `$FILE`.
    """
    write(inside, name, table())
    request = draft(enclave, name)
    folder, _, file = name.rpartition("/")
    done = inside.shell(f"cd /workspace/{folder}; FILE={file}; rm -f $FILE; {swap}")
    assert done.worked, done.output
    try:
        kept = submit(enclave, request)
    except EgressError as error:
        assert state_of(enclave, request) == "draft"
        return str(error)
    raise AssertionError(f"it was taken: {[file.name for file in kept]}")


def leaving(enclave: Enclave, file: RequestFile) -> bytes:
    """The bytes that would leave if the file were approved; none when it cannot leave at all."""
    return Store(enclave.settings.store).read(file.rewrite_sha256) if file.rewrite_sha256 else b""


def vote(enclave: Enclave, request: str, person: str, verdict: str = "approve") -> None:
    """One reviewer's vote on every file."""
    for file in files_of(enclave, request):
        with writing(enclave.engine) as db:
            reviews.vote(db, enclave.settings, request, file.id, verdict, actor=person, reason="Looked at it.")


def in_review(enclave: Enclave, inside: Inside | None = None, *, author: str = "ana", project: str = "smoking") -> str:
    """A submitted request with one harmless table."""
    name = f"{fresh()}.csv"
    if inside is not None:
        write(inside, name, table())
    else:
        folder = workspace(enclave, project, author)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(table())
    request = draft(enclave, name, author=author, project=project)
    submit(enclave, request, author)
    return request


def released(enclave: Enclave, inside: Inside) -> tuple[str, str, int]:
    """A request of ana's that both stewards approved, its release, and the number of the released file."""
    request = in_review(enclave, inside)
    for steward in STEWARDS:
        vote(enclave, request, steward)
    return request, *release_of(enclave, request)


def release_of(enclave: Enclave, request: str) -> tuple[str, int]:
    """The release of a request, and the number of its one file."""
    with reading(enclave.engine) as db:
        made = db.scalars(select(Release.id).where(Release.request_id == request)).one()
        return made, db.scalars(select(ReleaseFile.id).where(ReleaseFile.release_id == made)).one()


def fetch(enclave: Enclave, made: str, file: int | None, person: str = "ana") -> bytes:
    """The bytes of a release by a new link; raises what the gate raises."""
    token = release.make_link(enclave.engine, enclave.settings, made, actor=person, release_file_id=file)
    return release.redeem(enclave.engine, enclave.settings, token, actor=person).read()


def api(browser: Browser, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    """A call of the portal's API with this person's cookie and token, as a script of theirs would make it."""
    me = browser.get(API + "me")
    headers = {"Origin": browser.origin, "X-CSRF-Token": me.json()["csrf"]}
    address = f"{browser.origin}{API}{path}"
    return browser.client.request(method, address, json=body, headers=headers, follow_redirects=False)


@contextlib.contextmanager
def new_person(enclave: Enclave, *roles: tuple[str, str]) -> Iterator[str]:
    """Somebody new with these roles, enrolled as the demo enrols its people; suspended at the end."""
    person, today = fresh("person"), clock.today()
    until = today.replace(year=today.year + 1, day=1)
    with writing(enclave.engine) as db:
        people.add_person(
            db, id=person, name=person, email=f"{person}@demo.example", affiliation="health-institute", region="EU",
            actor="<setup>",
        )  # fmt: skip
        people.set_clearance(db, person, level=4, start=today, until=until, source="test")
        people.record_training(
            db, person, course="safe-researcher", start=today, until=until, source="test", actor="<setup>"
        )
        for role, domain in roles:
            people.grant_role(db, person, role=role, domain=domain, start=today, until=until, source="test")
    yield person
    with writing(enclave.engine) as db:
        for role, domain in roles:
            people.remove_role(db, person, role=role, domain=domain, reason="the test is over", actor="eve")
