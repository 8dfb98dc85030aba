from datetime import timedelta
from typing import Any

import pytest
from lifecycle_world import LATER, TODAY, World
from sqlalchemy import select

from access_control import agreements, people, renewals
from access_control.errors import AccessError, Invalid, NotFound, NotPermitted
from access_control.models import Agreement, PolicyRow, PolicyVersion
from access_control.policy_versions import verify_versions


def state(world: World, agreement_id: str = "AGR-0001") -> str:
    found = world.ask(lambda db: db.get(Agreement, agreement_id).state)
    assert isinstance(found, str)
    return found


def rows(world: World) -> list[str]:
    return list(world.ask(lambda db: db.scalars(select(PolicyRow.id).order_by(PolicyRow.id)).all()))


def test_the_last_signature_makes_it_active_and_opens_the_rendition(world: World) -> None:
    drafted = world.agreement()
    assert (drafted.id, drafted.state, drafted.purposes) == ("AGR-0001", "draft", ["DUO:0000006"])
    world.do(agreements.sign_agreement, "AGR-0001", party="acme", actor="sam")
    assert (state(world), world.sees("ana")) == ("draft", [])
    world.do(agreements.sign_agreement, "AGR-0001", party="uni", actor="lea")
    assert (state(world), rows(world), world.sees("ana")) == ("active", ["AGR-0001.1"], ["hiv/pseudonymised"])
    version = world.ask(lambda db: db.get(PolicyVersion, 1))
    assert "AGR-0001.1,allow,researcher,project:p17,data:hiv/pseudonymised,mount,DUO:0000006,EU" in version.rows
    assert world.ask(verify_versions) == []


def test_a_change_of_the_text_voids_the_signatures(world: World) -> None:
    world.agreement()
    world.do(agreements.sign_agreement, "AGR-0001", party="acme", actor="sam")
    world.do(agreements.amend_agreement, "AGR-0001", renditions=["hiv/pseudonymised", "hiv/open"], actor="lea")
    world.do(agreements.sign_agreement, "AGR-0001", party="uni", actor="lea")
    assert state(world) == "draft"
    world.do(agreements.sign_agreement, "AGR-0001", party="acme", actor="sue")
    assert state(world) == "active"
    assert rows(world) == ["AGR-0001.1", "AGR-0001.2"]


def test_a_signature_under_a_text_that_was_changed_meanwhile_is_refused(world: World) -> None:
    read = agreements.agreement_digest(world.agreement())
    world.do(agreements.amend_agreement, "AGR-0001", conditions="No linkage.", actor="lea")
    with pytest.raises(Invalid, match="changed since you read it"):
        world.do(agreements.sign_agreement, "AGR-0001", party="acme", digest=read, actor="sam")


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"until": TODAY - timedelta(days=1)}, Invalid, "before it starts"),
        ({"purposes": ["spying"]}, Invalid, "'spying' is no purpose term.*DUO:0000006"),
        ({"purposes": []}, Invalid, "At least one purpose"),
        ({"purposes": ["DS"]}, Invalid, "p17 has the purpose DUO:0000006.*would open nothing"),
        ({"renditions": ["hiv/all"]}, NotFound, "no rendition 'hiv/all'"),
        ({"renditions": []}, Invalid, "at least one rendition"),
        ({"project": "p99"}, NotFound, "no project 'p99'"),
        ({"parties": ["uni"]}, Invalid, "acme owns data"),
        ({"parties": ["acme", "nowhere"]}, NotFound, "no organisation 'nowhere'"),
        ({"regions": ["any", "EU"]}, Invalid, "'any' alone"),
        ({"regions": ["EU|UK"]}, Invalid, "cannot be a region"),
        ({"reviewers": 9}, Invalid, "choose 1, 2 or 3"),
        ({"title": "two\nlines"}, Invalid, "one line"),
        ({"actor": "gil"}, NotPermitted, "steward of acme or uni"),
        ({"actor": "ana"}, NotPermitted, "You may not draft"),
        ({"actor": "nobody"}, NotPermitted, "You may not draft"),
    ],
)
def test_a_wrong_draft_is_refused_with_the_way_out(
    world: World, changed: dict[str, Any], error: type[AccessError], says: str
) -> None:
    with pytest.raises(error, match=says):
        world.agreement(**changed)


@pytest.mark.parametrize(
    ("party", "actor"),
    [
        ("acme", "gil"),  # another owner's steward
        ("acme", "lea"),  # the lead is not the owner's
        ("acme", "eve"),  # an admin of acme's people is no steward
        ("uni", "ana"),  # a researcher binds nobody
        ("uni", "sam"),
        ("acme", "<warden>"),
    ],
)
def test_only_who_may_bind_a_party_signs_for_it(world: World, party: str, actor: str) -> None:
    world.agreement()
    with pytest.raises(NotPermitted):
        world.do(agreements.sign_agreement, "AGR-0001", party=party, actor=actor)
    assert party not in world.ask(lambda db: agreements.signable_by(db, db.get(Agreement, "AGR-0001"), actor))


def test_a_steward_with_a_part_in_the_project_does_not_sign_for_the_owner(world: World) -> None:
    world.do(
        people.grant_role, "sam", role="researcher", domain="project:p17", start=TODAY, until=LATER, source="letter"
    )
    world.agreement(actor="sue")
    with pytest.raises(NotPermitted, match="no part in p17"):
        world.do(agreements.sign_agreement, "AGR-0001", party="acme", actor="sam")


def test_nobody_signs_for_two_parties(world: World) -> None:
    world.do(people.grant_role, "sam", role="steward", domain="owner:uni", start=TODAY, until=LATER, source="letter")
    world.agreement()
    world.do(agreements.sign_agreement, "AGR-0001", party="acme", actor="sam")
    with pytest.raises(NotPermitted, match="for another party"):
        world.do(agreements.sign_agreement, "AGR-0001", party="uni", actor="sam")


def test_suspending_takes_away_and_the_same_side_gives_back(world: World) -> None:
    world.active_agreement()
    world.do(agreements.suspend_agreement, "AGR-0001", reason="a question", actor="sam")
    assert (state(world), rows(world), world.sees("ana")) == ("suspended", [], [])
    for actor in ("eve", "lea", "gil"):
        with pytest.raises(NotPermitted):
            world.do(agreements.resume_agreement, "AGR-0001", reason="no", actor=actor)
    world.do(agreements.resume_agreement, "AGR-0001", reason="answered", actor="sue")
    assert world.sees("ana") == ["hiv/pseudonymised"]
    world.do(agreements.suspend_agreement, "AGR-0001", reason="an incident", actor="eve")
    with pytest.raises(NotPermitted):
        world.do(agreements.resume_agreement, "AGR-0001", reason="no", actor="sam")
    world.do(agreements.resume_agreement, "AGR-0001", reason="looked into", actor="adam")
    assert world.sees("ana") == ["hiv/pseudonymised"]


@pytest.mark.parametrize("actor", ["sam", "lea"])
def test_a_party_withdraws_alone_and_for_good(world: World, actor: str) -> None:
    world.active_agreement()
    with pytest.raises(NotPermitted):
        world.do(agreements.withdraw_agreement, "AGR-0001", reason="no", actor="ana")
    with pytest.raises(NotPermitted, match="suspend it at once"):
        world.do(agreements.withdraw_agreement, "AGR-0001", reason="no", actor="eve")
    world.do(agreements.withdraw_agreement, "AGR-0001", reason="over", actor=actor)
    assert (state(world), rows(world), world.sees("ana")) == ("withdrawn", [], [])
    with pytest.raises(Invalid, match="only a suspended"):
        world.do(agreements.resume_agreement, "AGR-0001", reason="again", actor="sam")
    with pytest.raises(Invalid, match="it is the end"):
        world.do(agreements.suspend_agreement, "AGR-0001", reason="again", actor="sam")


def test_a_reason_is_needed(world: World) -> None:
    world.active_agreement()
    with pytest.raises(Invalid, match="A reason is needed"):
        world.do(agreements.suspend_agreement, "AGR-0001", reason="  ", actor="sam")


def test_expiry_closes_and_renewal_is_offered_before(world: World) -> None:
    world.active_agreement(until=TODAY + timedelta(days=31))
    assert world.ask(renewals.renewals_due) == []
    world.at += timedelta(days=1)
    [due] = world.ask(renewals.renewals_due)
    assert (due.agreement.id, due.days_left, due.renewed_by) == ("AGR-0001", 30, None)
    renewal = world.do(renewals.renew_agreement, "AGR-0001", until=LATER, actor="lea")
    assert (renewal.id, renewal.start) == ("AGR-0002", TODAY + timedelta(days=32))
    assert renewal.renditions == due.agreement.renditions
    assert world.ask(renewals.renewals_due)[0].renewed_by == "AGR-0002"
    with pytest.raises(Invalid, match="followed by AGR-0002"):
        world.do(renewals.renew_agreement, "AGR-0001", until=LATER, actor="lea")
    assert world.do(agreements.expire_agreements) == []
    world.at += timedelta(days=31)
    assert world.sees("ana") == []
    assert world.do(agreements.expire_agreements) == ["AGR-0001"]
    assert (state(world), rows(world)) == ("expired", [])
    assert world.do(agreements.expire_agreements) == []


def test_an_agreement_that_ended_before_its_last_signature_opens_nothing(world: World) -> None:
    world.agreement(until=TODAY)
    world.do(agreements.sign_agreement, "AGR-0001", party="acme", actor="sam")
    world.at += timedelta(days=1)
    with pytest.raises(Invalid, match="Amend its dates"):
        world.do(agreements.sign_agreement, "AGR-0001", party="uni", actor="lea")


def test_the_text_of_an_active_agreement_stands(world: World) -> None:
    world.active_agreement()
    with pytest.raises(Invalid, match="its text stands"):
        world.do(agreements.amend_agreement, "AGR-0001", conditions="more", actor="sam")
    with pytest.raises(Invalid, match="only a draft is signed"):
        world.do(agreements.sign_agreement, "AGR-0001", party="acme", actor="sue")


def test_the_first_installation_records_signatures_on_paper_with_a_reason(world: World) -> None:
    world.agreement(actor="<setup>")
    with pytest.raises(Invalid, match="A reason"):
        world.do(agreements.sign_agreement, "AGR-0001", party="acme", actor="<setup>")
    for party in ("acme", "uni"):
        world.do(agreements.sign_agreement, "AGR-0001", party=party, actor="<setup>", reason="paper of 1 May")
    assert world.sees("ana") == ["hiv/pseudonymised"]


def test_every_state_has_its_transitions() -> None:
    assert {to for onward in agreements.AGREEMENT_TRANSITIONS.values() for to in onward} <= set(
        agreements.AGREEMENT_TRANSITIONS
    )


def test_the_text_names_every_clause_and_its_digest_moves_with_each(world: World) -> None:
    agreement = world.agreement()
    text = agreements.agreement_text(agreement)
    assert "Purposes: DUO:0000006 health or medical or biomedical research\n" in text
    digests = {agreements.agreement_digest(agreement)}
    for name, value in {
        "title": "Other", "parties": ["acme"], "project_id": "p18", "renditions": ["hiv/open"], "purposes": ["odrl:use"],
        "regions": ["UK"], "required_trainings": ["gdpr"], "reviewers": 2, "start": LATER, "until": TODAY,
        "conditions": "none of it\nLast day: 9999-12-31",
    }.items():  # fmt: skip
        setattr(agreement, name, value)
        digests.add(agreements.agreement_digest(agreement))
    assert len(digests) == 12
