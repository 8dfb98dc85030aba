"""The life of a request as data: its states, and the steps that lead from one to the next. Nothing else moves a
state.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from egress_review.errors import WrongState


class State(StrEnum):
    """Where a request stands."""

    Draft = "draft"
    Submitted = "submitted"
    Checking = "checking"
    InReview = "in review"
    ChangesAsked = "changes asked"
    Approved = "approved"
    PartlyApproved = "partly approved"
    Rejected = "rejected"
    Released = "released"
    Expired = "expired"
    Withdrawn = "withdrawn"
    Frozen = "frozen"
    Revoked = "revoked"


class Step(StrEnum):
    """What happens to a request as a whole."""

    Submit = "submit"
    Resubmit = "resubmit"
    Check = "check"
    Queue = "queue"
    AskChanges = "ask for changes"
    Approve = "approve"
    ApprovePartly = "approve partly"
    Reject = "reject"
    Appeal = "appeal"
    Release = "release"
    Expire = "expire"
    Withdraw = "withdraw"
    Freeze = "freeze"
    Thaw = "thaw"
    Revoke = "revoke"


class Owner(StrEnum):
    """Whose turn it is in a state."""

    Author = "author"
    System = "system"
    Reviewers = "reviewers"
    Stewards = "stewards"
    Nobody = "nobody"


OWNERS: dict[State, Owner] = {
    State.Draft: Owner.Author,
    State.Submitted: Owner.System,
    State.Checking: Owner.System,
    State.InReview: Owner.Reviewers,
    State.ChangesAsked: Owner.Author,
    State.Approved: Owner.System,
    State.PartlyApproved: Owner.System,
    State.Rejected: Owner.Author,
    State.Released: Owner.Author,
    State.Expired: Owner.Nobody,
    State.Withdrawn: Owner.Nobody,
    State.Frozen: Owner.Stewards,
    State.Revoked: Owner.Nobody,
}

MEANINGS: dict[State, str] = {
    State.Draft: "The author picks files and says what each of them shows. Nothing has been copied yet.",
    State.Submitted: "The files are in the store, by their hashes. Changing the workspace changes nothing any more.",
    State.Checking: "The machine checks run.",
    State.InReview: "Reviewers vote, file by file, without seeing each other's votes until enough have voted.",
    State.ChangesAsked: "The author mends files or their context and submits the next turn.",
    State.Approved: "Every file has its quorum of signed approvals.",
    State.PartlyApproved: "Some files have their quorum of signed approvals, the others are rejected.",
    State.Rejected: "No file may leave. The author may appeal once, to reviewers who have not voted.",
    State.Released: "The author can download the approved files, each time verified anew.",
    State.Expired: "The time for downloading is over.",
    State.Withdrawn: "The author took the request back.",
    State.Frozen: "A grant that it rests on has ended: nothing moves until a lead steward thaws it.",
    State.Revoked: "The release was taken back: every link is dead, for good.",
}


@dataclass(frozen=True)
class Transition:
    """A step that is possible in state `before`, and the state it leads to."""

    before: State
    step: Step
    after: State


_FREEZABLE = (
    State.Submitted,
    State.Checking,
    State.InReview,
    State.ChangesAsked,
    State.Approved,
    State.PartlyApproved,
    State.Released,
)
_WITHDRAWABLE = (State.Draft, State.Submitted, State.Checking, State.InReview, State.ChangesAsked)

TRANSITIONS: tuple[Transition, ...] = (
    Transition(State.Draft, Step.Submit, State.Submitted),
    Transition(State.Submitted, Step.Check, State.Checking),
    Transition(State.Checking, Step.Queue, State.InReview),
    Transition(State.InReview, Step.AskChanges, State.ChangesAsked),
    Transition(State.ChangesAsked, Step.Resubmit, State.Submitted),
    Transition(State.InReview, Step.Approve, State.Approved),
    Transition(State.InReview, Step.ApprovePartly, State.PartlyApproved),
    Transition(State.InReview, Step.Reject, State.Rejected),
    Transition(State.Rejected, Step.Appeal, State.InReview),
    Transition(State.Approved, Step.Release, State.Released),
    Transition(State.PartlyApproved, Step.Release, State.Released),
    Transition(State.Released, Step.Expire, State.Expired),
    *(Transition(state, Step.Withdraw, State.Withdrawn) for state in _WITHDRAWABLE),
    *(Transition(state, Step.Freeze, State.Frozen) for state in _FREEZABLE),
    *(Transition(State.Frozen, Step.Thaw, state) for state in _FREEZABLE),
    Transition(State.Released, Step.Revoke, State.Revoked),
    Transition(State.Frozen, Step.Revoke, State.Revoked),
)

LIVE: frozenset[State] = frozenset(_FREEZABLE)


def steps_from(state: State) -> list[Step]:
    """The steps that are possible in `state`, each once, in the order of TRANSITIONS."""
    return list(dict.fromkeys(transition.step for transition in TRANSITIONS if transition.before == state))


def check_step(state: State, step: Step, *, back_to: State | None = None) -> State:
    """The state that `step` leads to from `state`; a thaw goes `back_to` the state before the freeze.

    Raises WrongState with where the request stands and where it would have to stand.
    """
    after = [transition.after for transition in TRANSITIONS if (transition.before, transition.step) == (state, step)]
    if step == Step.Thaw and back_to is not None:
        after = [each for each in after if each == back_to]
    if len(after) == 1:
        return after[0]
    before = list(dict.fromkeys(transition.before for transition in TRANSITIONS if transition.step == step))
    raise WrongState(
        f"This request is {state}, and it cannot {step} from there. It would have to be {' or '.join(before)}."
    )


def may_step(state: State, step: Step, *, back_to: State | None = None) -> bool:
    """Whether `check_step` would let it through."""
    try:
        check_step(state, step, back_to=back_to)
    except WrongState:
        return False
    return True


def diagram() -> str:
    """The state diagram in Mermaid, drawn from TRANSITIONS; docs/reference/request-states.md holds it."""
    names = {state: state.name for state in State}
    lines = ["stateDiagram-v2", "    [*] --> Draft"]
    lines += [f"    {names[state]}: {state.value}" for state in State]
    lines += [f"    {names[t.before]} --> {names[t.after]}: {t.step}" for t in TRANSITIONS]
    ends = [state for state in State if not steps_from(state)]
    lines += [f"    {names[state]} --> [*]" for state in ends]
    return "\n".join(lines)


def reference() -> str:
    """The generated part of docs/reference/request-states.md: the table of states, and the diagram."""
    rows = ["| State | Whose turn | What it means | Steps from here |", "|---|---|---|---|"]
    for state in State:
        steps = ", ".join(steps_from(state)) or "none"
        rows.append(f"| {state} | {OWNERS[state]} | {MEANINGS[state]} | {steps} |")
    return "\n".join([*rows, "", "```mermaid", diagram(), "```", ""])
