import re
from pathlib import Path

import pytest

from egress_review.errors import WrongState
from egress_review.states import (
    LIVE,
    MEANINGS,
    OWNERS,
    TRANSITIONS,
    Owner,
    State,
    Step,
    check_step,
    diagram,
    may_step,
    reference,
    steps_from,
)  # fmt: skip

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "request-states.md"


def test_every_state_is_listed_once() -> None:
    assert set(OWNERS) == set(MEANINGS) == set(State)
    assert len({state.value for state in State}) == len(State)


def test_every_step_is_used_and_no_transition_stands_twice() -> None:
    assert {transition.step for transition in TRANSITIONS} == set(Step)
    assert len(set(TRANSITIONS)) == len(TRANSITIONS)


def test_a_step_leads_to_one_state_alone() -> None:
    pairs = [(each.before, each.step) for each in TRANSITIONS if each.step is not Step.Thaw]
    assert len(set(pairs)) == len(pairs)


def test_every_state_can_be_reached_and_only_the_ended_have_no_way_on() -> None:
    reached = {State.Draft}
    for _ in State:
        reached |= {each.after for each in TRANSITIONS if each.before in reached}
    assert reached == set(State)
    assert {state for state in State if not steps_from(state)} == {
        state for state in State if OWNERS[state] is Owner.Nobody
    }


def test_only_approval_leads_to_release() -> None:
    before = {each.before for each in TRANSITIONS if each.after is State.Released}
    assert before == {State.Approved, State.PartlyApproved, State.Frozen}
    assert {each.before for each in TRANSITIONS if each.after in {State.Approved, State.PartlyApproved}} == {
        State.InReview, State.Frozen,
    }  # fmt: skip


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("step", Step)
def test_what_is_not_in_the_table_is_refused_with_where_it_stands(before: State, step: Step) -> None:
    known = [each.after for each in TRANSITIONS if (each.before, each.step) == (before, step)]
    if len(known) == 1:
        assert check_step(before, step) is known[0]
    elif not known:
        assert not may_step(before, step)
        with pytest.raises(WrongState, match=re.escape(f"This request is {before}")):
            check_step(before, step)


@pytest.mark.parametrize("state", sorted(LIVE))
def test_a_thaw_goes_back_to_where_it_froze(state: State) -> None:
    assert check_step(state, Step.Freeze) is State.Frozen
    assert check_step(State.Frozen, Step.Thaw, back_to=state) is state


@pytest.mark.parametrize("state", [None, *sorted(set(State) - LIVE)])
def test_a_thaw_never_leads_elsewhere(state: State | None) -> None:
    assert not may_step(State.Frozen, Step.Thaw, back_to=state)


def test_the_page_is_current() -> None:
    assert PAGE.read_text().partition("<!-- generated -->\n")[2] == reference(), "run `enclave egress states`"


def test_the_diagram_has_every_transition() -> None:
    drawn = diagram()
    assert all(f"{each.before.name} --> {each.after.name}: {each.step}" in drawn for each in TRANSITIONS)
