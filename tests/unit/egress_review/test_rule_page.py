from pathlib import Path

from egress_review import rule_page
from egress_review.findings import SEVERITIES
from egress_review.rules.catalogue import RULES

PAGE = Path(__file__).parents[3] / "docs/reference/check-rules.md"


def test_the_page_is_written_from_the_code():
    assert PAGE.read_text() == rule_page.page(), (
        "write it again: python -m egress_review.rule_page > docs/reference/check-rules.md"
    )


def test_every_rule_says_why_and_what_to_do():
    for rule in RULES.values():
        assert rule.severity in SEVERITIES
        assert all(text.strip() for text in (rule.title, rule.rationale, rule.source, rule.remedy)), rule.id


def test_every_threshold_of_a_profile_is_documented():
    from access_control.settings import Profile

    text = PAGE.with_name("profiles.md").read_text()
    for name in Profile.model_fields:
        assert f"`{name}`" in text
