"""The lifecycle on a real PostgreSQL, started here from its binaries as an ordinary user."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "access_control"))

from lifecycle_world import LATER, NOON, ROOT, TODAY, World

from access_control import access_requests, agreements, grants, history, people, policy_changes
from access_control.errors import AccessError
from access_control.policy_versions import list_versions, verify_versions

TERM: dict[str, Any] = {"start": TODAY, "until": LATER, "source": "letter"}
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))

pytestmark = pytest.mark.skipif(not BINARIES, reason="PostgreSQL is not installed: apt-get install postgresql")


def ordinary_user() -> int | None:
    """PostgreSQL refuses to run as root: somebody else's uid, or None when we aren't root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    return known.get("postgres", known["nobody"])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server that listens on a socket in a folder of its own; yields that folder."""
    # A socket's path may be 107 bytes long, which pytest's own folders exceed.
    folder, uid = Path(tempfile.mkdtemp(prefix="pg-")), ordinary_user()
    if uid is not None:
        os.chown(folder, uid, -1)
    rights: dict[str, Any] = {} if uid is None else {"user": uid, "group": pwd.getpwuid(uid).pw_gid, "extra_groups": []}
    data = folder / "data"
    binaries = BINARIES[-1]
    made = subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "enclave", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        capture_output=True,
        check=False,
        cwd=folder,
        **rights,
    )
    assert made.returncode == 0, made.stderr.decode()
    log = (folder / "log").open("wb")
    options = ("listen_addresses=", f"unix_socket_directories={folder}", "fsync=off", "max_connections=40")
    running = subprocess.Popen(
        [binaries / "postgres", "-D", data, *(word for option in options for word in ("-c", option))],
        stdout=log,
        stderr=log,
        cwd=folder,
        **rights,
    )
    try:
        wait_for(folder, running)
        yield str(folder)
    finally:
        running.terminate()
        running.wait(60)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def url(folder: str, database: str) -> str:
    return f"postgresql+psycopg://enclave@/{database}?host={folder}"


def wait_for(folder: Path, running: subprocess.Popen[bytes]) -> None:
    engine = create_engine(url(str(folder), "postgres"))
    deadline = time.monotonic() + 60
    while True:
        try:
            engine.connect().close()
            break
        except OperationalError:
            assert running.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
    engine.dispose()


@pytest.fixture
def world(server: str) -> Iterator[World]:
    """The world of the unit tests, on a database of its own."""
    name = f"enclave_{uuid4().hex}"
    engine = create_engine(url(server, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    built = World(url(server, name))
    yield built
    built.close()
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """The results of calls made at the same time; an error of ours is a result."""

    def call(one: Callable[[], Any]) -> Any:
        try:
            return one()
        except AccessError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def test_from_request_to_withdrawal_and_back_in_time(world: World) -> None:
    world.do(
        access_requests.ask_access,
        project="p17",
        rendition="hiv/pseudonymised",
        purpose="HMB",
        until=LATER,
        actor="ana",
    )
    assert [request.id for request in world.ask(access_requests.waiting_for, "sam")] == [1]
    world.do(access_requests.grant_access, 1, actor="sam")
    assert [request.id for request in world.ask(access_requests.awaiting_acceptance, "lea")] == [1]
    world.do(access_requests.accept_access, 1, actor="lea")
    assert world.sees("ana") == ["hiv/pseudonymised"]
    world.session("ana")
    world.at += timedelta(hours=1)
    world.do(policy_changes.withdraw_dataset, "hiv", reason="a question", actor="sam")
    world.do(people.lower_clearance, "lea", level=1, reason="left", actor="eve")
    assert world.sees("ana") == []
    before = world.ask(history.who_could, "hiv", NOON, data_root=ROOT)
    assert [(row.person, row.agreement_id) for row in before] == [("ana", "AGR-0001"), ("lea", "AGR-0001")]
    assert world.ask(history.who_could, "hiv", world.at, data_root=ROOT) == []
    assert [access.person for access in world.ask(history.accesses, "hiv")] == ["ana"]
    assert world.ask(verify_versions) == []


def test_a_policy_change_by_two_admins(world: World) -> None:
    world.active_agreement()
    session = world.session("ana")
    row = {
        "id": "POL-0001",
        "eft": "deny",
        "role": "anyone",
        "project": "any",
        "data": "data:hiv",
        "act": "mount",
        "purpose": "any",
        "region": "any",
        "start": str(TODAY),
        "until": str(LATER),
    }
    number = world.do(policy_changes.propose_policy, add=[row], remove=[], reason="a pause", actor="eve").id
    assert world.ask(policy_changes.preview_proposal, ROOT, number).stopped == [(session.id, "ana", "p17")]
    world.do(policy_changes.approve_policy, ROOT, number, actor="adam")
    assert world.sees("ana") == []


def test_a_proposal_that_two_admins_approve_at_once_is_approved_once(world: World) -> None:
    number = world.do(grants.propose_clearance, "sam", level=3, actor="eve", **TERM).id
    results = at_once(*(lambda who=who: world.do(grants.approve_grant, number, actor=who) for who in ("adam", "ada")))
    assert sorted(isinstance(result, AccessError) for result in results) == [False, True]
    assert "already" in str(next(result for result in results if isinstance(result, AccessError)))


def test_clearances_given_at_once_never_overlap(world: World) -> None:
    numbers = [world.do(grants.propose_clearance, "sam", level=level, actor="eve", **TERM).id for level in range(4)]
    results = at_once(
        *(lambda number=number: world.do(grants.approve_grant, number, actor="adam") for number in numbers)
    )
    assert sum(not isinstance(result, AccessError) for result in results) == 1


def test_agreements_made_at_once_have_numbers_and_versions_of_their_own(world: World) -> None:
    drafts = at_once(*[world.agreement] * 6)
    assert sorted(draft.id for draft in drafts) == [f"AGR-{number:04d}" for number in range(1, 7)]
    for draft in drafts:
        world.do(agreements.sign_agreement, draft.id, party="acme", actor="sam")
    at_once(
        *(
            lambda draft=draft: world.do(agreements.sign_agreement, draft.id, party="uni", actor="lea")
            for draft in drafts
        )
    )
    assert [version.number for version in world.ask(list_versions)] == [1, 2, 3, 4, 5, 6]
    assert world.ask(verify_versions) == []


def test_the_log_has_no_gap_whoever_writes_at_once(world: World) -> None:
    before = len(world.log())
    results = at_once(
        *(
            lambda number=number: world.do(people.record_training, "ana", course=f"c{number}", actor="eve", **TERM)
            for number in range(12)
        )
    )
    assert [str(result) for result in results if isinstance(result, AccessError)] == []
    numbers = [json.loads(body)["seq"] for body in world.log()]
    assert numbers == list(range(1, before + 13))
