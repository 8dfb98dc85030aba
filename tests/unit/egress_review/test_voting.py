import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_review.states import Step
from egress_review.voting import Ballot, Verdict, outcome, step_for

A, C, R = Verdict.Approve, Verdict.Changes, Verdict.Reject


def ballots(text: str) -> list[Ballot]:
    """`sam acme +, gil globex -`: reviewer, sides (by /), + approve, ~ changes, - reject."""
    said = {"+": A, "~": C, "-": R}
    rows = [row.split() for row in text.split(",") if row.strip()]
    return [Ballot(name, frozenset(sides.split("/")), said[mark]) for name, sides, mark in rows]


@pytest.mark.parametrize(
    ("votes", "needed", "owners", "verdict", "enough", "third"),
    [
        ("", 1, "", None, False, False),
        ("sam acme +", 1, "acme", A, True, False),
        ("sam acme -", 1, "acme", R, True, False),
        ("sam acme ~", 1, "acme", C, True, False),
        ("sam acme +", 2, "acme", None, False, False),
        ("sam acme +, sam acme +", 2, "acme", None, False, False),
        ("sam acme -, sam acme +", 1, "acme", A, True, False),
        ("sam acme +, sue acme +", 2, "acme", A, True, False),
        ("sam acme +, sue acme -", 2, "acme", None, True, True),
        ("sam acme +, sue acme -, sid acme +", 2, "acme", A, True, False),
        ("sam acme +, sue acme -, sid acme -", 2, "acme", R, True, False),
        ("sam acme +, sue acme -, sid acme ~", 2, "acme", C, True, False),
        ("sam acme ~, sue acme -", 2, "acme", C, True, False),
        ("sam acme +, gil globex +", 2, "acme globex", A, True, False),
        ("sam acme +, sue acme +", 2, "acme globex", None, False, False),
        ("sam acme +, sue acme +, gil globex -", 2, "acme globex", None, True, True),
        ("sam acme +, sue acme +, gil globex -, gus globex -", 2, "acme globex", R, True, False),
        ("sam acme +, sue acme +, gil globex -, gus globex +", 2, "acme globex", A, True, False),
        ("sam acme/globex +", 1, "acme globex", A, True, False),
        ("sam acme +", 1, "acme globex", None, False, False),
    ],
)
def test_outcome(votes: str, needed: int, owners: str, verdict: Verdict | None, enough: bool, third: bool) -> None:
    found = outcome(ballots(votes), needed, owners.split())
    assert (found.verdict, found.enough, found.third) == (verdict, enough, third)


CAST = st.lists(
    st.builds(
        Ballot,
        reviewer=st.sampled_from("abcdef"),
        sides=st.frozensets(st.sampled_from(["acme", "globex"])),
        verdict=st.sampled_from(Verdict),
    ),
    max_size=12,
)


@given(CAST, st.integers(1, 3), st.sets(st.sampled_from(["acme", "globex"])))
def test_approved_only_with_the_quorum_and_every_owner(cast: list[Ballot], needed: int, owners: set[str]) -> None:
    last = {ballot.reviewer: ballot for ballot in cast}
    ayes = [ballot for ballot in last.values() if ballot.verdict == A]
    found = outcome(cast, needed, owners)
    if found.verdict is A:
        assert len(ayes) >= needed
        assert len(ayes) > len(last) - len(ayes)
        assert all(any(owner in ballot.sides for ballot in ayes) for owner in owners)
    if found.verdict is not None:
        assert found.enough
    assert found.third == (found.enough and found.verdict is None)


def test_nobody_is_not_enough() -> None:
    with pytest.raises(ValueError, match="at least one"):
        outcome([], 0, [])


@pytest.mark.parametrize(
    ("outcomes", "step"),
    [
        ([], None),
        ([A, None], None),
        ([A, A], Step.Approve),
        ([A, R], Step.ApprovePartly),
        ([R, R], Step.Reject),
        ([A, C, R], Step.AskChanges),
    ],
)
def test_step_for(outcomes: list[Verdict | None], step: Step | None) -> None:
    assert step_for(outcomes) is step
