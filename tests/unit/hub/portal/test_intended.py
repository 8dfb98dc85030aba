"""The outputs that a project intends: declared by its lead, seen beside each request."""

import pytest
from portal_world import PortalWorld
from test_calibration import seed

from access_control.audit import AuditEntry
from hub.portal.models import IntendedOutput

TEXT = "Table of means by age group, for a paper"


def test_a_lead_declares_members_read_and_reviewers_see_it(world: PortalWorld) -> None:
    world.grant()
    lea = world.browser("lea")
    assert "Reviewers see it" in lea.after(lea.post("projects/p17/intended", text=TEXT)).text
    page = world.browser("ana").get("projects/p17").text
    assert TEXT in page
    assert "Declare an output" not in page
    assert world.browser("ana").client.get("/services/portal/api/projects/p17/intended").json() == [TEXT]
    assert seed(world.browser("sue")).status_code == 303
    assert TEXT in world.browser("sam").get("reviews/REQ-0001").text


def test_what_is_struck_leaves_the_list_and_stays_on_record(world: PortalWorld) -> None:
    lea = world.browser("lea")
    lea.post("projects/p17/intended", text=TEXT)
    assert lea.post("projects/p17/intended/1/strike").status_code == 303
    assert TEXT not in lea.get("projects/p17").text
    assert lea.post("projects/p17/intended/1/strike").status_code == 404
    with world.portal.reading() as db:
        row = db.query(IntendedOutput).one()
        assert (row.text, row.declared_by, row.struck_by) == (TEXT, "lea", "lea")
        entries = [entry.body for entry in db.query(AuditEntry) if "intended output" in entry.body]
    assert len(entries) == 2
    assert all(TEXT in entry for entry in entries)


@pytest.mark.parametrize(("person", "status"), [("ana", 403), ("rob", 404), ("sam", 404), ("olga", 404)])
def test_nobody_else_changes_the_list(world: PortalWorld, person: str, status: int) -> None:
    world.browser("lea").post("projects/p17/intended", text=TEXT)
    browser = world.browser(person)
    assert browser.post("projects/p17/intended", text="Mine").status_code == status
    assert browser.post("projects/p17/intended/1/strike").status_code == status
    with world.portal.reading() as db:
        assert db.query(IntendedOutput).one().struck_at is None


@pytest.mark.parametrize("text", ["", " ", "x" * 501])
def test_empty_and_endless_texts_are_refused(world: PortalWorld, text: str) -> None:
    assert world.browser("lea").post("projects/p17/intended", text=text).status_code == 422
