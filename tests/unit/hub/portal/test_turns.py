"""Two turns of a file beside each other: what differs, and nothing else."""

from egress_review.previews import Preview, PreviewTable
from hub.portal.turns import MOST_LINES, compare


def text(*lines: str) -> Preview:
    return Preview("text", text="\n".join(lines))


def test_what_was_changed_taken_out_and_added() -> None:
    old = Preview("csv", [PreviewTable("", ["group", "people"], [["union", "120"], ["other", "3"], ["none", "45"]], 3)])
    new = Preview("csv", [PreviewTable("", ["group", "people"], [["union", "120"], ["other or none", "50"]], 2)])
    lines, cut = compare(old, new)
    assert not cut
    assert [(line.kind, line.old, line.new) for line in lines if line.kind != "same"] == [
        ("changed", "other | 3", "other or none | 50"),
        ("gone", "none | 45", ""),
    ]


def test_equal_turns_differ_in_nothing() -> None:
    assert compare(text("a", "b"), text("a", "b")) == ([], False)


def test_long_stretches_that_are_the_same_are_left_out() -> None:
    same = [f"line {number}" for number in range(50)]
    lines, _ = compare(text(*same, "old"), text(*same, "new"))
    assert [line.kind for line in lines] == ["left-out", "same", "same", "changed"]
    assert lines[0].old == "… 48 lines are the same …"


def test_more_than_can_be_compared_is_said() -> None:
    long = text(*(str(number) for number in range(MOST_LINES + 1)))
    assert compare(long, long) == ([], True)
