"""In which state a request lets something be done, whoever asks. Who may ask is said in `permissions`."""

from __future__ import annotations

from egress_review.errors import WrongState
from egress_review.models import ReleaseRequest
from egress_review.states import State, Step, check_step, may_step

EDITABLE = frozenset({State.Draft, State.ChangesAsked})
COMMENTABLE = frozenset(set(State) - {State.Withdrawn, State.Revoked, State.Expired})


def check_editable(request: ReleaseRequest) -> None:
    """Raises WrongState unless its author may add and remove files now."""
    if State(request.state) not in EDITABLE:
        raise WrongState(
            f"{request.id} is {request.state}; its files can be changed only in a draft, or when changes were asked."
        )


def check_votable(request: ReleaseRequest) -> None:
    """Raises WrongState unless it is in review."""
    if State(request.state) is not State.InReview:
        raise WrongState(f"{request.id} is {request.state}; votes are taken only while it is in review.")


def check_commentable(request: ReleaseRequest) -> None:
    """Raises WrongState when the request has ended."""
    if State(request.state) not in COMMENTABLE:
        raise WrongState(f"{request.id} is {request.state}, so nothing more is said on it. Make a new request.")


def check_downloadable(request: ReleaseRequest) -> None:
    """Raises WrongState unless it is released."""
    if State(request.state) is not State.Released:
        why = f" ({request.reason})" if request.reason else ""
        raise WrongState(f"{request.id} is {request.state}{why}; only a released request can be downloaded.")


def check_can(request: ReleaseRequest, step: Step) -> State:
    """The state that `step` leads to; raises WrongState when it is not possible now."""
    return check_step(State(request.state), step, back_to=_back_to(request))


def can(request: ReleaseRequest, step: Step) -> bool:
    """Whether `check_can` would let it through."""
    return may_step(State(request.state), step, back_to=_back_to(request))


def _back_to(request: ReleaseRequest) -> State | None:
    return State(request.frozen_from) if request.frozen_from else None


def editable_turn(request: ReleaseRequest) -> int:
    """The turn whose files the author edits, or sees if there is nothing to edit."""
    return request.turn + 1 if State(request.state) is State.ChangesAsked else request.turn
