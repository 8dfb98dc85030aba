"""Known-unsafe requests are seeded in the portal by a lead steward alone."""

import httpx
import pytest
from portal_world import ORIGIN, Browser, PortalWorld

from access_control.audit import AuditEntry
from egress_review.models import ReleaseRequest, RequestFile, SeededRequest

TABLE = b"sex,n\nf,1\nm,135\n"
WORDS = {
    "project": "p17", "author": "ana", "title": "Table 3", "purpose": "for a talk", "context": "patients by sex",
    "why_unsafe": "a cell of one person",
}  # fmt: skip


def seed(browser: Browser, content: bytes = TABLE, **changed: str) -> httpx.Response:
    if not browser.csrf:
        browser.get("")
    return browser.client.post(
        "/services/portal/calibration/upload",
        data={"csrf": browser.csrf, **WORDS, **changed},
        files={"file": ("table.csv", content, "text/csv")},
        headers={"Origin": ORIGIN},
    )


def test_a_lead_steward_seeds_and_reviewers_see_a_request_like_any_other(world: PortalWorld) -> None:
    world.grant()
    sue = world.browser("sue")
    form = sue.get("calibration").text
    assert '<option value="p17">' in form
    assert '<option value="ana">' in form
    assert "It can never be released" in sue.after(seed(sue)).text
    with world.portal.reading() as db:
        row = db.query(ReleaseRequest).one()
        assert (row.author_id, row.title) == ("ana", "Table 3")
        assert db.query(SeededRequest).one().seeded_by == "sue"
        assert db.query(RequestFile).one().name == "table.csv"
        assert any('"seeded":true' in entry.body for entry in db.query(AuditEntry))
    page = world.browser("sam").get(f"reviews/{row.id}")
    assert page.status_code == 200
    assert "a cell of one person" not in page.text
    assert "seeded" not in page.text.lower()
    assert row.id not in world.browser("ana").get("releases").text


@pytest.mark.parametrize("person", ["ana", "sam", "eve", "olga"])
def test_nobody_else_does(world: PortalWorld, person: str) -> None:
    browser = world.browser(person)
    assert browser.get("calibration").status_code == 403
    assert seed(browser).status_code == 403
    with world.portal.reading() as db:
        assert db.query(ReleaseRequest).count() == 0


def test_what_is_missing_is_said(world: PortalWorld) -> None:
    sue = world.browser("sue")
    assert seed(sue, why_unsafe="").status_code == 422
    assert seed(sue, author="rob").status_code == 403
    small = world.settings.egress.model_copy(update={"max_file_bytes": 10})
    world.portal.settings = world.settings.model_copy(update={"egress": small})
    assert "more than 10 bytes" in seed(sue).text
