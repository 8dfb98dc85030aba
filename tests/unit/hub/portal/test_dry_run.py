"""The checks tried on a draft: findings for the author, a line for the reviewers, and an end to trying."""

import pytest
from portal_world import Browser, PortalWorld
from sqlalchemy import select

from access_control.audit import Act
from access_control.database import reading
from egress_review.models import ReleaseRequest
from hub.portal import dry_run
from hub.portal.pages.audit import read_log

SMALL = "group,people\nunion,120\nother,3\n"


def draft(world: PortalWorld) -> tuple[Browser, str]:
    """ana's draft with a table that has a small count."""
    world.grant()
    world.running("ana")
    (world.workspace("ana") / "table.csv").write_text(SMALL)
    ana = world.browser("ana")
    ana.get("releases/new?project=p17")
    answer = ana.post(
        "releases/new", project="p17", title="T", purpose="a paper", then="save",
        pick="1", **{"name-1": "table.csv", "context-1": "people by group"},
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    return ana, answer.headers["location"].removeprefix("/services/portal/")


def test_the_author_sees_findings_and_nothing_is_submitted(world: PortalWorld) -> None:
    ana, path = draft(world)
    page = ana.after(ana.post(f"{path}/check")).text
    assert "1 count is below 10" in page
    assert "Checked, and not submitted: 1 block" in page
    with reading(world.engine) as db:
        row = db.scalars(select(ReleaseRequest)).one()
        assert (row.state, row.submitted_at) == ("draft", None)
        log = read_log(db, before=None, act=str(Act.RequestChecked), words="dry_run")
    assert [each["actor"] for each in log] == ["ana"]
    assert log[0]["details"]["verdicts"] == {"table.csv": "block"}
    assert world.browser("sam").get("queue").text.count("REQ-") == 0


def test_reviewers_see_that_the_checks_were_tried_and_what_came_of_it(world: PortalWorld) -> None:
    ana, path = draft(world)
    ana.post(f"{path}/check")
    ana.post(f"{path}/submit")
    page = world.browser("sam").get(path.replace("releases/", "reviews/")).text
    assert "the author ran the checks 1 time without submitting" in page
    assert "Verdicts: 1 block." in page


def test_nobody_else_tries_the_checks_and_only_drafts_are_tried(world: PortalWorld) -> None:
    ana, path = draft(world)
    for other in ("sam", "lea", "rob", "eve"):
        assert world.browser(other).post(f"{path}/check").status_code in (403, 404), other
    ana.post(f"{path}/submit")
    assert ana.post(f"{path}/check").status_code == 409


def test_trying_ends_for_the_day(world: PortalWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "MOST_A_DAY", 1)
    ana, path = draft(world)
    (world.workspace("ana") / "table.csv").unlink()
    assert ana.post(f"{path}/check").status_code >= 400  # a run that breaks off counts: it may have told something
    (world.workspace("ana") / "table.csv").write_text(SMALL)
    answer = ana.post(f"{path}/check")
    assert answer.status_code == 409
    assert "Submit the request" in answer.text


def test_a_draft_whose_submission_fails_is_kept_once_and_says_why(world: PortalWorld) -> None:
    world.grant()
    world.running("ana")
    file = world.workspace("ana") / "table.csv"
    file.write_text(SMALL)
    ana = world.browser("ana")
    ana.get("releases/new?project=p17")
    file.unlink()
    answer = ana.post(
        "releases/new", project="p17", title="T", purpose="a paper", then="submit",
        pick="1", **{"name-1": "table.csv", "context-1": "people by group"},
    )  # fmt: skip
    if answer.status_code == 303:  # the draft was made before the file was missed
        assert "saved as a draft" in ana.after(answer).text
    with reading(world.engine) as db:
        assert len(list(db.scalars(select(ReleaseRequest)))) <= 1
