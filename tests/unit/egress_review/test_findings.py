import pytest

from egress_review.errors import Invalid
from egress_review.findings import MAX_TEXT, FileResult, Finding, finding_from, verdict_of

GRAVE = Finding("a.b", "blocks", "here", "It is so.", "Change it.")
LIGHT = Finding("a.c", "warns", "here", "It is so.", "Change it.")
NOTE = Finding("a.d", "informs", "here", "It is so.", "Change it.")


@pytest.mark.parametrize(
    ("findings", "verdict"), [([], "pass"), ([NOTE], "pass"), ([NOTE, LIGHT], "warn"), ([LIGHT, GRAVE], "block")]
)
def test_the_gravest_finding_decides(findings, verdict):
    assert verdict_of(findings) == verdict


def test_a_result_survives_json():
    result = FileResult("a.csv", "block", [GRAVE, NOTE], "csv", {"bytes": 3})
    assert FileResult.from_dict(result.as_dict()) == result


@pytest.mark.parametrize("broken", [{}, {**GRAVE.as_dict(), "severity": "fatal"}, {**GRAVE.as_dict(), "where": 3}])
def test_a_finding_of_the_wrong_shape_is_refused(broken):
    with pytest.raises(Invalid):
        finding_from(broken)


def test_a_long_sentence_is_cut():
    assert len(finding_from({**GRAVE.as_dict(), "message": "x" * 10_000}).message) == MAX_TEXT
