from datetime import timedelta
from typing import Any

import pytest
from lifecycle_world import LATER, ROOT, TODAY, World
from sqlalchemy import select, update

from access_control import agreements, people, policy_changes
from access_control.errors import AccessError, Invalid, NotFound, NotPermitted
from access_control.models import PolicyProposal, PolicyRow, PolicyVersion
from access_control.policy_versions import list_versions, verify_versions

DENY: dict[str, Any] = {
    "id": "POL-0001", "eft": "deny", "role": "anyone", "project": "project:p17", "data": "data:hiv", "act": "mount",
    "purpose": "any", "region": "any", "start": str(TODAY), "until": str(LATER),
}  # fmt: skip
ALLOW = DENY | {"eft": "allow", "role": "researcher", "data": "data:hiv/open"}


def propose(world: World, *add: dict[str, Any], remove: tuple[str, ...] = (), actor: str = "eve") -> int:
    number = world.do(
        policy_changes.propose_policy, add=list(add), remove=list(remove), reason="a pause", actor=actor
    ).id
    assert isinstance(number, int)
    return number


def approve(world: World, number: int, actor: str = "adam") -> PolicyVersion:
    version = world.do(policy_changes.approve_policy, ROOT, number, actor=actor)
    assert isinstance(version, PolicyVersion)
    return version


def row_ids(world: World) -> list[str]:
    return list(world.ask(lambda db: db.scalars(select(PolicyRow.id).order_by(PolicyRow.id)).all()))


def test_a_change_is_in_force_once_a_second_admin_approves(world: World) -> None:
    world.active_agreement()
    session = world.session("ana")
    number = propose(world, DENY)
    preview = world.ask(policy_changes.preview_proposal, ROOT, number)
    lost = [(change.person, change.rendition, change.row_id) for change in preview.losses]
    assert lost == [("ana", "hiv/pseudonymised", "POL-0001"), ("lea", "hiv/pseudonymised", "POL-0001")]
    assert (preview.gains, preview.stopped) == ([], [(session.id, "ana", "p17")])
    assert world.sees("ana") == ["hiv/pseudonymised"]
    for actor in ("eve", "sam", "olga", "ana", "nobody"):
        with pytest.raises(NotPermitted):
            approve(world, number, actor)
    assert approve(world, number).number == 2
    assert world.sees("ana") == []
    with pytest.raises(Invalid, match="approved by adam already"):
        approve(world, number, "ada")
    assert world.ask(verify_versions) == []


def test_an_allow_row_shows_who_gains_from_the_day_it_begins(world: World) -> None:
    begins = TODAY + timedelta(days=10)
    number = propose(world, ALLOW | {"start": str(begins)})
    gains = world.ask(policy_changes.preview_proposal, ROOT, number).gains
    assert [(gain.person, gain.rendition, gain.day) for gain in gains] == [
        ("ana", "hiv/open", begins), ("lea", "hiv/open", begins)
    ]  # fmt: skip
    approve(world, number)
    assert world.sees("ana") == []
    world.at += timedelta(days=10)
    assert world.sees("ana") == ["hiv/open"]


@pytest.mark.parametrize("member", ["eve", "adam"])
@pytest.mark.parametrize("project", ["project:p17", "any"])
def test_nobody_proposes_or_approves_what_they_gain_by(world: World, member: str, project: str) -> None:
    # Without a clearance the member sees nothing today; a later clearance must not make it a gain after all.
    world.do(people.grant_role, member, role="researcher", domain="project:p17", start=LATER, until=LATER, source="x")
    number = propose(world, ALLOW | {"project": project})
    with pytest.raises(NotPermitted, match=f"{member} is a member of project:p17"):
        approve(world, number)
    assert row_ids(world) == []


def test_removing_a_deny_row_is_a_gain_too(world: World) -> None:
    approve(world, propose(world, DENY))
    world.do(people.grant_role, "adam", role="researcher", domain="project:p17", start=TODAY, until=LATER, source="x")
    number = propose(world, remove=("POL-0001",))
    with pytest.raises(NotPermitted, match="adam is a member"):
        approve(world, number)
    approve(world, number, "ada")
    assert row_ids(world) == []


def test_nobody_gives_a_duty_back_to_themselves(world: World) -> None:
    duty = DENY | {"role": "auditor", "project": "any", "data": "enclave", "act": "audit"}
    approve(world, propose(world, duty))
    world.do(people.grant_role, "adam", role="auditor", domain="*", start=TODAY, until=LATER, source="x")
    number = propose(world, remove=("POL-0001",), actor="eve")
    with pytest.raises(NotPermitted):
        approve(world, number, "olga")
    approve(world, number, "ada")


@pytest.mark.parametrize(
    ("add", "remove", "says"),
    [
        ([], [], "nothing to propose"),
        ([DENY | {"eft": "Deny"}], [], "line 1: POL-0001: effect 'Deny' must be 'allow' or 'deny'"),
        ([DENY | {"until": "2020-01-01"}], [], "before it starts"),
        ([DENY | {"id": "AGR-0009.1"}], [], "belongs to an agreement"),
        ([DENY | {"id": "WDR-0001"}], [], "is an owner's withdrawal"),
        ([DENY | {"id": "STANDING-X"}], [], "part of the enclave"),
        ([ALLOW | {"agreement": "AGR-0001"}], [], "only an agreement makes rows"),
        ([ALLOW | {"agreement_id": "AGR-0001"}], [], "only an agreement makes rows"),
        ([ALLOW | {"role": "admin", "act": "administer", "data": "enclave"}], [], "may only have the act 'mount'"),
        ([DENY, DENY], [], "same id"),
        ([], ["POL-0042"], "POL-0042 is no row"),
        ([], ["AGR-0001.1"], "suspend or withdraw the agreement"),
    ],
)
def test_a_wrong_change_is_refused_whole(world: World, add: list[dict[str, Any]], remove: list[str], says: str) -> None:
    world.active_agreement()
    with pytest.raises(Invalid, match=says):
        propose(world, *add, remove=tuple(remove))
    assert world.ask(lambda db: db.scalars(select(PolicyProposal)).all()) == []


def test_the_file_of_changes_names_every_line_that_is_wrong() -> None:
    text = """change,id,eft,role,project,data,act,purpose,region,start,until
add,POL-0001,deny,anyone,project:p17,data:hiv,mount,,,2026-06-01,2026-12-31
remove,POL-0002,,,,,,,,,
add,POL-0003,Deny,anyone,project:p17,data:hiv,mount,,,2026-06-01,2026-12-31
swap,POL-0004,,,,,,,,,
add,POL-0005,deny,anyone,project:p17,data:hiv,mount,,,2026-06-01,2026-12-31,any,none,and more
"""
    with pytest.raises(Invalid) as raised:
        policy_changes.read_changes(text)
    assert str(raised.value).splitlines() == [
        "line 4: POL-0003: effect 'Deny' must be 'allow' or 'deny'",
        "line 5: change 'swap' must be 'add' or 'remove'",
        "line 6: more values than the header has columns; quote a value that has a comma",
    ]
    add, remove = policy_changes.read_changes("\n".join(text.splitlines()[:3]))
    assert (add[0]["purpose"], add[0]["id"], remove) == ("any", "POL-0001", ["POL-0002"])
    for wrong in ("", "id,eft\n", "change,id,colour\n"):
        with pytest.raises(Invalid, match="line 1: the header"):
            policy_changes.read_changes(wrong)


def test_the_owner_withdraws_alone_and_every_rendition_goes(world: World) -> None:
    world.active_agreement(renditions=["hiv/pseudonymised", "hiv/open"])
    for actor in ("gil", "eve", "lea", "<setup>"):
        with pytest.raises(NotPermitted):
            world.do(policy_changes.withdraw_dataset, "hiv", reason="no", actor=actor)
    row = world.do(policy_changes.withdraw_dataset, "hiv", reason="consent was withdrawn", actor="sam")
    assert (row.id, world.sees("ana")) == ("WDR-0001", [])
    with pytest.raises(Invalid, match="withdrawn already, by WDR-0001"):
        world.do(policy_changes.withdraw_dataset, "hiv", reason="again", actor="sue")
    with pytest.raises(NotFound):
        world.do(policy_changes.withdraw_dataset, "hiv/raw", reason="no", actor="sam")


def test_a_withdrawal_of_one_rendition_leaves_the_other(world: World) -> None:
    world.active_agreement(renditions=["hiv/pseudonymised", "hiv/open"])
    world.do(policy_changes.withdraw_dataset, "hiv/pseudonymised", reason="a flaw", actor="sam")
    assert world.sees("ana") == ["hiv/open"]


def test_only_the_owner_asks_for_a_withdrawal_to_be_lifted(world: World) -> None:
    world.active_agreement()
    world.do(policy_changes.withdraw_dataset, "hiv", reason="a question", actor="sam")
    with pytest.raises(Invalid, match="a steward of the owner asks"):
        propose(world, remove=("WDR-0001",))
    for actor in ("gil", "eve"):
        with pytest.raises(NotPermitted):
            world.do(policy_changes.lift_withdrawal, "WDR-0001", reason="answered", actor=actor)
    number = world.do(policy_changes.lift_withdrawal, "WDR-0001", reason="answered", actor="sam").id
    for actor in ("sam", "sue"):
        with pytest.raises(NotPermitted):
            approve(world, number, actor)
    approve(world, number)
    assert world.sees("ana") == ["hiv/pseudonymised"]
    assert world.do(policy_changes.withdraw_dataset, "hiv", reason="again", actor="sue").id == "WDR-0002"
    with pytest.raises(NotFound):
        world.do(policy_changes.lift_withdrawal, "AGR-0001.1", reason="no", actor="sam")


def test_a_proposal_is_refused_with_a_reason_or_taken_back(world: World) -> None:
    first, second = propose(world, DENY), propose(world, DENY)
    world.do(policy_changes.refuse_policy, first, reason="not now", actor="adam")
    world.do(policy_changes.refuse_policy, second, reason="a slip", actor="eve")
    assert world.ask(policy_changes.open_policy_proposals) == []
    with pytest.raises(Invalid, match="refused by adam"):
        approve(world, first, "ada")


def test_a_proposal_that_no_longer_fits_is_refused_at_its_approval(world: World) -> None:
    first, second = propose(world, DENY), propose(world, DENY)
    approve(world, first)
    with pytest.raises(Invalid, match="already in force"):
        approve(world, second)
    with pytest.raises(NotFound):
        approve(world, 99)


@pytest.mark.parametrize("damage", ["rows", "digest", "in force"])
def test_a_version_that_was_altered_is_found(world: World, damage: str) -> None:
    world.active_agreement()
    world.do(agreements.suspend_agreement, "AGR-0001", reason="a pause", actor="sam")
    world.do(agreements.resume_agreement, "AGR-0001", reason="over", actor="sam")
    assert [version.number for version in world.ask(list_versions)] == [1, 2, 3]
    statement = {
        "rows": update(PolicyVersion).where(PolicyVersion.number == 2).values(rows="id\n"),
        "digest": update(PolicyVersion).where(PolicyVersion.number == 2).values(digest="0" * 64),
        "in force": update(PolicyRow).values(region="any"),
    }[damage]
    world.do(lambda db: db.execute(statement))
    assert world.ask(verify_versions)


def test_errors_are_of_one_family() -> None:
    assert all(issubclass(error, AccessError) for error in (Invalid, NotFound, NotPermitted))
