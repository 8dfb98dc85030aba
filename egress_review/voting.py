"""How votes on a file become its outcome, and outcomes of files that of the request. Pure: plain values in and out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from egress_review.states import Step


class Verdict(StrEnum):
    """What a reviewer may say of a file."""

    Approve = "approve"
    Changes = "changes"
    Reject = "reject"


@dataclass(frozen=True)
class Ballot:
    """One reviewer's vote; `sides` are the owners for whom the reviewer speaks."""

    reviewer: str
    sides: frozenset[str]
    verdict: Verdict


@dataclass(frozen=True)
class Outcome:
    """`verdict` is None while undecided. `enough`: the votes may be shown. `third`: they disagree, another one
    decides.
    """

    verdict: Verdict | None
    enough: bool
    third: bool


def outcome(ballots: Sequence[Ballot], needed: int, owners: Iterable[str]) -> Outcome:
    """The outcome of one file.

    Approved: at least `needed` reviewers approve, among them one for each owner, and more approve than do not.
    Refused: at least `needed` do not approve and more do not than do; or two of one owner's reviewers do not approve
    and none of them does. It is then rejected if more reject than ask for changes, and otherwise goes back for changes.
    Anything else waits for another reviewer. Each reviewer counts once, by the last ballot.
    """
    if needed < 1:
        raise ValueError("at least one reviewer is needed for every file")
    last = {ballot.reviewer: ballot for ballot in ballots}
    ayes = [ballot for ballot in last.values() if ballot.verdict == Verdict.Approve]
    noes = [ballot for ballot in last.values() if ballot.verdict != Verdict.Approve]
    sides = sorted(set(owners))
    enough = len(last) >= needed and all(any(side in ballot.sides for ballot in last.values()) for side in sides)
    heard = all(any(side in ballot.sides for ballot in ayes) for side in sides)
    if len(ayes) >= needed and heard and len(ayes) > len(noes):
        return Outcome(Verdict.Approve, enough=True, third=False)
    refused = any(
        sum(side in ballot.sides for ballot in noes) > 1 and not any(side in ballot.sides for ballot in ayes)
        for side in sides
    )
    if refused or (len(noes) >= needed and len(noes) > len(ayes)):
        rejects = sum(ballot.verdict == Verdict.Reject for ballot in noes)
        milder = rejects * 2 <= len(noes)
        return Outcome(Verdict.Changes if milder else Verdict.Reject, enough=True, third=False)
    return Outcome(None, enough=enough, third=enough)


def step_for(outcomes: Sequence[Verdict | None]) -> Step | None:
    """What happens to a request whose files have these outcomes; None while any of them is undecided."""
    if not outcomes or any(each is None for each in outcomes):
        return None
    if Verdict.Changes in outcomes:
        return Step.AskChanges
    if Verdict.Approve not in outcomes:
        return Step.Reject
    return Step.ApprovePartly if Verdict.Reject in outcomes else Step.Approve
