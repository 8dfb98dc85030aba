"""Without JavaScript every page still says and does what it is for; only live updates are missing."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import PATIENCE, Crowd

PAGES = (
    ("ana", ("", "projects", "projects/wages", "catalogue", "catalogue/gpa2", "access", "releases", "imports",
             "releases/new?project=wages", "sessions/empty")),
    ("sol", ("queue", "data", "calibration", "incidents", "access/agreements/AGR-0001")),
    ("eve", ("people", "people/ana", "manage-projects", "policy", "running", "audit")),
)  # fmt: skip


def without_scripts(crowd: Crowd, person: str) -> BrowserContext:
    """A browser with the person's login and no scripts."""
    crowd.page(person).close()
    state = crowd.contexts[person].storage_state()
    context = crowd.chromium.new_context(storage_state=state, java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    return context


@pytest.mark.parametrize(("person", "paths"), PAGES, ids=[person for person, _ in PAGES])
def test_each_page_is_whole(crowd: Crowd, person: str, paths: tuple[str, ...]) -> None:
    context = without_scripts(crowd, person)
    try:
        page = context.new_page()
        for path in paths:
            answer = page.goto(f"{crowd.portal}{path}")
            assert answer is not None
            assert answer.status == 200, path
            expect(page.locator("h1").first).to_be_visible()
            # What would do nothing without scripts is not shown.
            assert not page.locator("[data-filter]:visible, [data-tick]:visible, [data-print]:visible").count(), path
            # Nothing but a form or a link does something: each button stands in a form.
            assert not page.locator("button:visible:not(form button)").count(), path
    finally:
        context.close()


def test_the_log_is_verified_and_a_policy_previewed_on_pages_of_their_own(crowd: Crowd) -> None:
    context = without_scripts(crowd, "eve")
    try:
        page = context.new_page()
        page.goto(f"{crowd.portal}audit")
        page.get_by_role("link", name="Verify the log").click()
        expect(page.locator("main")).to_contain_text("The log verifies")
        page.goto(f"{crowd.portal}policy")
        page.get_by_label("Changes, as CSV").fill("change,id\nremove,AGR-0001.1\n")
        page.get_by_label("Reason").fill("To see what it would do")
        page.get_by_role("button", name="Preview who gains and loses").click()
        expect(page.locator("main")).to_contain_text("lost")
    finally:
        context.close()
