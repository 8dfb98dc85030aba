from datetime import timedelta
from typing import Any

import pytest
from lifecycle_world import LATER, TODAY, World

from access_control import people, projects
from access_control.errors import AccessError, Invalid, NotPermitted
from access_control.models import Project

NEW: dict[str, Any] = {
    "id": "p18", "title": "Costs", "tier": 2, "region": "EU", "purposes": ["GRU"], "start": TODAY, "until": LATER,
    "actor": "eve",
}  # fmt: skip


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"id": "p17"}, Invalid, "a project 'p17' already"),
        ({"id": "P 18"}, Invalid, "cannot be the id"),
        ({"tier": 5}, Invalid, "5 is no tier"),
        ({"until": TODAY - timedelta(days=1)}, Invalid, "before it starts"),
        ({"purposes": ["profiling"]}, Invalid, "no purpose term"),
        ({"actor": "lea"}, NotPermitted, "You may not add a project"),
    ],
)
def test_a_wrong_project_is_refused(world: World, values: dict[str, Any], error: type[AccessError], says: str) -> None:
    with pytest.raises(error, match=says):
        world.do(projects.add_project, **(NEW | values))


def test_from_tier_2_on_activation_waits_for_every_reference(world: World) -> None:
    world.do(projects.add_project, **NEW)
    with pytest.raises(Invalid, match="the ethics approval, the contract, the data protection impact assessment"):
        world.do(projects.set_project_state, "p18", "active", reason="go", actor="eve")
    world.do(projects.change_project, "p18", ethics_reference="E", contract_reference="C", reason="came", actor="eve")
    with pytest.raises(Invalid, match="lacks the reference of the data protection impact assessment"):
        world.do(projects.set_project_state, "p18", "active", reason="go", actor="eve")
    world.do(projects.change_project, "p18", assessment_reference="A", reason="came", actor="eve")
    assert world.do(projects.set_project_state, "p18", "active", reason="go", actor="eve").state == "active"


def test_below_tier_2_it_needs_none(world: World) -> None:
    world.do(projects.add_project, **(NEW | {"tier": 1}))
    assert world.do(projects.set_project_state, "p18", "active", reason="go", actor="eve").state == "active"


@pytest.mark.parametrize("state", projects.PROJECT_TRANSITIONS)
@pytest.mark.parametrize("to", projects.PROJECT_TRANSITIONS)
def test_it_moves_only_along_its_transitions(world: World, state: str, to: str) -> None:
    def put(db: Any) -> None:
        db.get(Project, "p17").state = state

    world.do(put)
    if to in projects.PROJECT_TRANSITIONS[state]:
        assert world.do(projects.set_project_state, "p17", to, reason="so", actor="eve").state == to
    else:
        with pytest.raises(Invalid, match=f"is {state} and cannot become {to}"):
            world.do(projects.set_project_state, "p17", to, reason="so", actor="eve")


def test_suspending_takes_every_mount_away(world: World) -> None:
    world.active_agreement()
    world.do(projects.set_project_state, "p17", "suspended", reason="a break", actor="lea")
    assert (world.sees("ana"), world.sees("lea")) == ([], [])
    with pytest.raises(NotPermitted):
        world.do(projects.set_project_state, "p17", "active", reason="go", actor="lea")
    with pytest.raises(NotPermitted):
        world.do(projects.set_project_state, "p17", "closed", reason="go", actor="ana")
    world.do(projects.set_project_state, "p17", "active", reason="go", actor="adam")
    assert world.sees("ana") == ["hiv/pseudonymised"]


def test_an_admin_who_is_a_member_neither_changes_nor_activates_it(world: World) -> None:
    world.do(
        people.grant_role, "eve", role="researcher", domain="project:p17", start=TODAY, until=LATER, source="letter"
    )
    world.do(projects.set_project_state, "p17", "suspended", reason="a break", actor="adam")
    with pytest.raises(NotPermitted):
        world.do(projects.set_project_state, "p17", "active", reason="go", actor="eve")
    with pytest.raises(NotPermitted):
        world.do(projects.change_project, "p17", tier=4, reason="more", actor="eve")


def test_what_decides_access_does_not_change_while_it_is_active(world: World) -> None:
    for change in ({"tier": 3}, {"purposes": ["odrl:use"]}, {"region": "UK"}, {"until": LATER + timedelta(days=1)}):
        with pytest.raises(Invalid, match="Suspend it"):
            world.do(projects.change_project, "p17", reason="more", actor="eve", **change)
    world.do(projects.change_project, "p17", until=LATER - timedelta(days=1), title="Shorter", reason="so", actor="eve")
    with pytest.raises(Invalid, match="none of its references can be taken away"):
        world.do(projects.change_project, "p17", ethics_reference=" ", reason="so", actor="eve")
    with pytest.raises(Invalid, match="'open' is no state"):
        world.do(projects.set_project_state, "p17", "open", reason="so", actor="eve")
