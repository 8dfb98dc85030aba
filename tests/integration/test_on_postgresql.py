"""The lifecycle on a real PostgreSQL, started here from its binaries as an ordinary user."""

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "access_control"))

from lifecycle_world import LATER, NOON, ROOT, TODAY, World

from access_control import access_requests, agreements, grants, history, people, policy_changes
from access_control.errors import AccessError
from access_control.policy_versions import list_versions, verify_versions
from tests.postgresql import BINARIES, MISSING, database, postgresql

TERM: dict[str, Any] = {"start": TODAY, "until": LATER, "source": "letter"}

pytestmark = pytest.mark.skipif(not BINARIES, reason=MISSING)


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    with postgresql() as folder:
        yield folder


@pytest.fixture
def world(server: Path) -> Iterator[World]:
    """The world of the unit tests, on a database of its own."""
    with database(server) as url:
        built = World(url)
        yield built
        built.close()


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
