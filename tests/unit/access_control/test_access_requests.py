from datetime import timedelta
from typing import Any

import pytest
from lifecycle_world import LATER, TODAY, World

from access_control import access_requests, agreements, people, projects
from access_control.errors import AccessError, Invalid, NotFound, NotPermitted
from access_control.models import AccessRequest, Agreement

ASKED: dict[str, Any] = {
    "project": "p17", "rendition": "hiv/pseudonymised", "purpose": "HMB", "until": LATER, "actor": "ana",
}  # fmt: skip


def state(world: World, number: int = 1) -> str:
    found = world.ask(lambda db: db.get(AccessRequest, number).state)
    assert isinstance(found, str)
    return found


def test_from_the_request_to_the_mount(world: World) -> None:
    answer = world.do(access_requests.ask_access, **ASKED)
    assert (answer.streamlined, answer.sentence) == (False, "Asked. A steward of acme will grant or refuse it.")
    assert [len(world.ask(access_requests.waiting_for, who)) for who in ("sam", "sue", "gil", "eve")] == [1, 1, 0, 0]
    agreement = world.do(access_requests.grant_access, 1, actor="sam", conditions="No linkage.")
    assert (agreement.state, agreement.parties, agreement.until) == ("draft", ["acme", "uni"], LATER)
    assert (state(world), world.sees("ana")) == ("granted", [])
    assert [len(world.ask(access_requests.awaiting_acceptance, who)) for who in ("lea", "ana", "sam")] == [1, 0, 0]
    with pytest.raises(NotPermitted):
        world.do(access_requests.accept_access, 1, actor="ana")
    assert world.do(access_requests.accept_access, 1, actor="lea").state == "active"
    assert world.sees("ana") == world.sees("lea") == ["hiv/pseudonymised"]
    assert world.ask(access_requests.awaiting_acceptance, "lea") == []


def test_what_an_active_agreement_covers_is_answered_at_once(world: World) -> None:
    world.active_agreement()
    answer = world.do(access_requests.ask_access, **ASKED)
    assert answer.streamlined
    assert "AGR-0001 covers hiv/pseudonymised in p17 until 2027-05-31" in answer.sentence
    assert (answer.request.state, answer.request.agreement_id) == ("granted", "AGR-0001")


def test_a_project_with_a_second_purpose_loses_what_was_agreed_for_the_first(world: World) -> None:
    world.active_agreement()
    assert world.sees("ana") == ["hiv/pseudonymised"]
    world.do(projects.set_project_state, "p17", "suspended", reason="a wider question", actor="adam")
    world.do(projects.change_project, "p17", purposes=["HMB", "odrl:use"], reason="also for products", actor="eve")
    world.do(projects.set_project_state, "p17", "active", reason="approved", actor="ada")
    assert world.sees("ana") == []
    answer = world.do(access_requests.ask_access, **ASKED)
    assert not answer.streamlined
    granted = world.do(access_requests.grant_access, 1, actor="sam")
    assert granted.purposes == ["DUO:0000006", "odrl:use"]
    world.do(access_requests.accept_access, 1, actor="lea")
    assert world.sees("ana") == ["hiv/pseudonymised"]


def test_a_refusal_has_a_reason_and_opens_nothing(world: World) -> None:
    world.do(access_requests.ask_access, **ASKED)
    with pytest.raises(Invalid, match="A reason"):
        world.do(access_requests.refuse_access, 1, reason=" ", actor="sam")
    world.do(access_requests.refuse_access, 1, reason="the open rendition will do", actor="sam")
    assert (state(world), world.sees("ana")) == ("refused", [])
    with pytest.raises(Invalid, match="refused by sam already: the open rendition will do"):
        world.do(access_requests.grant_access, 1, actor="sue")
    world.do(access_requests.ask_access, **ASKED)


@pytest.mark.parametrize("actor", ["gil", "eve", "ana", "lea", "olga", "<setup>", "nobody"])
def test_only_the_owners_steward_decides(world: World, actor: str) -> None:
    world.do(access_requests.ask_access, **ASKED)
    with pytest.raises(NotPermitted):
        world.do(access_requests.grant_access, 1, actor=actor)
    with pytest.raises(NotPermitted):
        world.do(access_requests.refuse_access, 1, reason="no", actor=actor)
    assert state(world) == "asked"


def test_a_grant_is_not_for_longer_than_was_asked(world: World) -> None:
    world.do(access_requests.ask_access, **(ASKED | {"until": TODAY}))
    with pytest.raises(Invalid, match="until then at the latest"):
        world.do(access_requests.grant_access, 1, until=LATER, actor="sam")


def test_a_suspended_person_neither_asks_nor_accepts(world: World) -> None:
    world.do(access_requests.ask_access, **ASKED)
    world.do(access_requests.grant_access, 1, actor="sam")
    for person in ("ana", "lea"):
        world.do(people.suspend_person, person, reason="an incident", actor="eve")
    with pytest.raises(NotPermitted):
        world.do(access_requests.ask_access, **(ASKED | {"rendition": "hiv/open"}))
    with pytest.raises(NotPermitted):
        world.do(access_requests.accept_access, 1, actor="lea")


def test_a_steward_does_not_grant_what_they_ask_for_themselves(world: World) -> None:
    world.do(people.grant_role, "sam", role="researcher", domain="project:p17", start=TODAY, until=LATER, source="x")
    world.do(access_requests.ask_access, **(ASKED | {"actor": "sam"}))
    assert world.ask(access_requests.waiting_for, "sam") == []
    with pytest.raises(NotPermitted):
        world.do(access_requests.grant_access, 1, actor="sam")
    assert world.do(access_requests.grant_access, 1, actor="sue").id == "AGR-0001"


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"project": "p99"}, NotFound, "no project 'p99'"),
        ({"rendition": "hiv/raw"}, NotFound, "no rendition 'hiv/raw'"),
        ({"purpose": "spying"}, Invalid, "no purpose term"),
        ({"purpose": "odrl:use"}, Invalid, "no purpose of p17. Its purposes are DUO:0000006"),
        ({"until": TODAY - timedelta(days=1)}, Invalid, "is past"),
        ({"until": LATER + timedelta(days=1)}, Invalid, "p17 ends on"),
        ({"actor": "sam"}, NotPermitted, "not a member of p17"),
        ({"actor": "nobody"}, NotFound, "no person 'nobody'"),
    ],
)
def test_a_wrong_request_is_refused(world: World, changed: dict[str, Any], error: type[AccessError], says: str) -> None:
    with pytest.raises(error, match=says):
        world.do(access_requests.ask_access, **(ASKED | changed))


def test_the_same_is_not_asked_twice_and_can_be_taken_back(world: World) -> None:
    world.do(access_requests.ask_access, **ASKED)
    with pytest.raises(Invalid, match="request 1 waits"):
        world.do(access_requests.ask_access, **(ASKED | {"actor": "lea"}))
    with pytest.raises(NotPermitted):
        world.do(access_requests.take_back, 1, actor="sam")
    world.do(access_requests.take_back, 1, actor="ana")
    assert state(world) == "taken back"
    assert [request.id for request in world.ask(access_requests.requests_of, "lea")] == [1]
    world.do(access_requests.ask_access, **ASKED)


def test_a_grant_that_is_not_accepted_is_taken_back_by_the_lead(world: World) -> None:
    world.do(access_requests.ask_access, **ASKED)
    world.do(access_requests.grant_access, 1, actor="sam")
    world.do(access_requests.take_back, 1, actor="lea")
    assert world.ask(lambda db: db.get(Agreement, "AGR-0001").state) == "withdrawn"
    with pytest.raises(Invalid):
        world.do(access_requests.accept_access, 1, actor="lea")


def test_where_the_owner_is_the_projects_home_the_grant_is_enough(world: World) -> None:
    world.do(people.change_person, "lea", affiliation="acme", reason="moved", actor="eve")
    world.do(access_requests.ask_access, **ASKED)
    assert world.do(access_requests.grant_access, 1, actor="sam").state == "active"
    assert world.sees("ana") == ["hiv/pseudonymised"]


def test_without_a_lead_nobody_could_accept(world: World) -> None:
    world.do(people.remove_role, "lea", role="lead", domain="project:p17", reason="left", actor="eve")
    world.do(access_requests.ask_access, **ASKED)
    with pytest.raises(Invalid, match="p17 has no lead"):
        world.do(access_requests.grant_access, 1, actor="sam")
    assert state(world) == "asked"


def test_every_state_has_its_transitions() -> None:
    states = access_requests.REQUEST_TRANSITIONS
    assert {to for onward in states.values() for to in onward} <= set(states)


def test_a_lead_of_another_organisation_does_not_accept(world: World) -> None:
    world.do(access_requests.ask_access, **ASKED)
    world.do(access_requests.grant_access, 1, actor="sam")
    world.do(people.change_person, "lea", affiliation="globex", reason="moved", actor="eve")
    with pytest.raises(Invalid, match="'globex' is no party"):
        world.do(access_requests.accept_access, 1, actor="lea")
    assert world.ask(lambda db: agreements.signable_by(db, db.get(Agreement, "AGR-0001"), "lea")) == []
