import json
from datetime import timedelta
from typing import Any

import pytest
from lifecycle_world import LATER, TODAY, World
from sqlalchemy import select

from access_control import grants, people
from access_control.errors import AccessError, Invalid, NotFound, NotPermitted
from access_control.models import ChangeCount, Clearance, Role

TERM: dict[str, Any] = {"start": TODAY, "until": LATER, "source": "letter"}


def count(world: World) -> int:
    number = world.ask(lambda db: db.get(ChangeCount, 1).number)
    assert isinstance(number, int)
    return number


def levels(world: World, person: str) -> list[tuple[int, str, str]]:
    found = world.ask(
        lambda db: db.scalars(select(Clearance).where(Clearance.person_id == person).order_by(Clearance.start)).all()
    )
    return [(row.level, str(row.start), str(row.until)) for row in found]


def test_two_clearances_that_overlap_are_refused(world: World) -> None:
    with pytest.raises(Invalid, match=r"ana has clearance 2 from 2026-06-01 until 2027-05-31.*overlap"):
        world.do(grants.propose_clearance, "ana", level=3, actor="eve", **TERM)
    with pytest.raises(Invalid, match="overlap"):
        world.do(people.set_clearance, "ana", level=3, start=LATER, until=LATER, source="letter")
    next_day = LATER + timedelta(days=1)
    world.do(people.set_clearance, "ana", level=3, start=next_day, until=next_day, source="letter")


def test_a_clearance_takes_two_admins_and_neither_is_who_gains(world: World) -> None:
    with pytest.raises(NotPermitted, match="yourself"):
        world.do(grants.propose_clearance, "eve", level=4, actor="eve", **TERM)
    proposal = world.do(grants.propose_clearance, "adam", level=4, actor="eve", **TERM)
    assert levels(world, "adam") == []
    for actor in ("eve", "adam", "sam", "olga", "ana", "nobody"):
        with pytest.raises(NotPermitted):
            world.do(grants.approve_grant, proposal.id, actor=actor)
        assert not world.ask(lambda db, actor=actor: grants.may_approve_grant(db, proposal, actor))
    world.do(grants.approve_grant, proposal.id, actor="ada")
    assert levels(world, "adam") == [(4, str(TODAY), str(LATER))]
    with pytest.raises(Invalid, match="approved by ada already"):
        world.do(grants.approve_grant, proposal.id, actor="ada")
    with pytest.raises(NotPermitted, match="takes two admins"):
        world.do(people.set_clearance, "ana", level=4, actor="eve", **TERM)


def test_a_replacement_ends_the_clearance_before_it(world: World) -> None:
    world.at += timedelta(days=10)
    today = TODAY + timedelta(days=10)
    proposal = world.do(
        grants.propose_clearance, "ana", level=3, start=TODAY, until=LATER, source="letter", actor="eve", replace=True
    )
    world.do(grants.approve_grant, proposal.id, actor="adam")
    assert levels(world, "ana") == [(2, str(TODAY), str(today - timedelta(days=1))), (3, str(today), str(LATER))]


def test_lowering_is_one_admins_and_at_once(world: World) -> None:
    world.active_agreement()
    world.at += timedelta(days=5)
    assert world.sees("ana") == ["hiv/pseudonymised"]
    for actor in ("sam", "ana", "olga"):
        with pytest.raises(NotPermitted):
            world.do(people.lower_clearance, "ana", level=1, reason="no", actor=actor)
    before = count(world)
    world.do(people.lower_clearance, "ana", level=1, reason="left the team", actor="eve")
    assert count(world) > before
    assert world.sees("ana") == []
    today = TODAY + timedelta(days=5)
    assert levels(world, "ana") == [(2, str(TODAY), str(today - timedelta(days=1))), (1, str(today), str(LATER))]
    with pytest.raises(Invalid, match="nothing to lower"):
        world.do(people.lower_clearance, "ana", level=1, reason="again", actor="eve")


def test_a_suspended_person_sees_nothing_and_comes_back_by_two_admins(world: World) -> None:
    world.active_agreement()
    world.do(people.suspend_person, "ana", reason="an incident", actor="eve")
    assert world.sees("ana") == []
    proposal = world.do(grants.propose_reinstatement, "ana", reason="cleared", actor="eve")
    with pytest.raises(NotPermitted):
        world.do(grants.approve_grant, proposal.id, actor="eve")
    world.do(grants.approve_grant, proposal.id, actor="adam")
    assert world.sees("ana") == ["hiv/pseudonymised"]
    with pytest.raises(Invalid, match="not suspended"):
        world.do(grants.propose_reinstatement, "ana", reason="cleared", actor="eve")


def test_a_suspended_admin_has_no_say(world: World) -> None:
    proposal = world.do(grants.propose_clearance, "sam", level=1, actor="eve", **TERM)
    world.do(people.suspend_person, "eve", reason="an incident", actor="adam")
    with pytest.raises(NotPermitted):
        world.do(people.suspend_person, "adam", reason="back", actor="eve")
    with pytest.raises(NotPermitted, match="no admin any more"):
        world.do(grants.approve_grant, proposal.id, actor="adam")


def test_a_role_takes_two_admins_and_is_removed_by_one(world: World) -> None:
    world.active_agreement()
    asked = {"role": "researcher", "domain": "project:p17", **TERM}
    proposal = world.do(grants.propose_role, "olga", actor="eve", **asked)
    world.do(grants.approve_grant, proposal.id, actor="adam")
    with pytest.raises(Invalid, match=r"is researcher in project:p17 .* already"):
        world.do(grants.propose_role, "olga", actor="eve", **asked)
    world.do(people.remove_role, "ana", role="researcher", domain="project:p17", reason="left", actor="eve")
    assert world.sees("ana") == []
    kept = world.ask(lambda db: db.scalars(select(Role).where(Role.person_id == "ana")).one())
    assert kept.until == TODAY - timedelta(days=1)
    world.do(people.remove_role, "lea", role="lead", domain="project:p17", reason="I leave", actor="lea")
    with pytest.raises(NotFound, match="is not lead"):
        world.do(people.remove_role, "lea", role="lead", domain="project:p17", reason="again", actor="eve")


def test_a_refused_proposal_gives_nothing(world: World) -> None:
    proposal = world.do(grants.propose_clearance, "sam", level=4, actor="eve", **TERM)
    assert [waiting.id for waiting in world.ask(grants.open_proposals)] == [proposal.id]
    with pytest.raises(Invalid, match="reason"):
        world.do(grants.refuse_grant, proposal.id, reason="", actor="adam")
    world.do(grants.refuse_grant, proposal.id, reason="too much", actor="adam")
    assert (world.ask(grants.open_proposals), levels(world, "sam")) == ([], [])


@pytest.mark.parametrize(
    ("role", "domain", "error", "says"),
    [
        ("king", "*", Invalid, "'king' is no role"),
        ("admin", "project:p17", Invalid, r"held in \*"),
        ("admin", "*:x", Invalid, r"held in \*"),
        ("steward", "project:p17", Invalid, "held in owner:"),
        ("researcher", "p17", Invalid, "held in project:"),
        ("researcher", "project:", Invalid, "held in project:"),
        ("researcher", "project:p99", NotFound, "no project 'p99'"),
        ("steward", "owner:none", NotFound, "no organisation 'none'"),
    ],
)
def test_a_role_is_held_in_its_kind_of_domain(
    world: World, role: str, domain: str, error: type[AccessError], says: str
) -> None:
    with pytest.raises(error, match=says):
        world.do(grants.propose_role, "olga", role=role, domain=domain, actor="eve", **TERM)


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"id": "Ana B"}, Invalid, "cannot be the id of a person"),
        ({"id": "<setup>"}, Invalid, "cannot be the id"),
        ({"id": "ana"}, Invalid, "a person 'ana' already"),
        ({"affiliation": "none"}, NotFound, "no organisation 'none'"),
        ({"region": "EU|UK"}, Invalid, "cannot be a region"),
        ({"region": "any"}, Invalid, "cannot be a region"),
        ({"actor": "sam"}, NotPermitted, "You may not add a person"),
    ],
)
def test_a_wrong_person_is_refused(world: World, values: dict[str, Any], error: type[AccessError], says: str) -> None:
    new = {"id": "bo", "name": "Bo", "email": "bo@uni.example", "affiliation": "uni", "region": "EU", "actor": "eve"}
    with pytest.raises(error, match=says):
        world.do(people.add_person, **(new | values))


def test_trainings_are_recorded_by_others_and_withdrawn(world: World) -> None:
    with pytest.raises(NotPermitted, match="your own"):
        world.do(people.record_training, "eve", course="gdpr", actor="eve", **TERM)
    with pytest.raises(Invalid, match="before it starts"):
        world.do(people.record_training, "ana", course="gdpr", start=LATER, until=TODAY, source="x", actor="eve")
    world.active_agreement(required_trainings=["gdpr"])
    assert world.sees("ana") == []
    training = world.do(people.record_training, "ana", course="gdpr", actor="eve", **TERM)
    assert world.sees("ana") == ["hiv/pseudonymised"]
    world.do(people.withdraw_training, training.id, reason="another Ana's", actor="eve")
    assert world.sees("ana") == []


def test_nobody_moves_themselves_to_another_region(world: World) -> None:
    with pytest.raises(NotPermitted, match="your own record"):
        world.do(people.change_person, "eve", region="UK", reason="moved", actor="eve")
    world.active_agreement()
    world.do(people.change_person, "ana", region="UK", reason="moved", actor="eve")
    assert world.sees("ana") == []


def test_names_and_addresses_stay_out_of_the_log(world: World) -> None:
    world.do(people.change_person, "ana", name="Ana Belle", email="belle@uni.example", reason="married", actor="eve")
    assert not any("Belle" in body or "@" in body for body in world.log())
    last = json.loads(world.log()[-1])
    assert (last["act"], last["actor"], last["details"]["columns"]) == ("person:changed", "eve", ["email", "name"])
