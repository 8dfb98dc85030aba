"""The list that a session carries: what is there, what is not, and why."""

from access_control.decisions import Mount, Refusal
from hub.about import about_text

MOUNT = Mount(
    "hiv", "hiv/pseudonymised", 3, "/x", "/data/hiv", {"data.parquet": "0"}, "AGR-1.1", "AGR-1", 3, "AGR-1.1 allows it"
)


def test_what_is_mounted_is_named_with_its_agreement() -> None:
    text = about_text("ana", "p17", [MOUNT], [], [])
    assert "`/data/hiv` - hiv/pseudonymised, version 3, tier 3, under AGR-1." in text
    assert "AGR-1.1 allows it" in text


def test_what_is_not_is_named_with_its_reason() -> None:
    refusal = Refusal("nhefs/open", "NHEFS", "your clearance 1 is below 2", "an admin")
    text = about_text("ana", "p17", [], [refusal], ["gpa2/full is not mounted: changed"])
    assert "No dataset is mounted" in text
    assert "your clearance 1 is below 2" in text
    assert "an admin" in text
    assert "gpa2/full is not mounted: changed" in text
