"""A release that is mended: an error that loses nothing, a dry run, a vote by keys, and the next turn beside the last."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd
from tests.browser.test_accessibility import faults
from tests.browser.test_refusals import workspace

TITLE = "People by group, to be mended"
FILES = {"mend_group.csv": "group,people\nunion,120\nother,3\n", "mend_region.csv": "region,people\nnorth,120\n"}


def write_draft(ana: Page) -> str:
    """Forgets what one file shows, reads so beside its field, mends that, and tries the checks; returns the request."""
    ana.get_by_label("Title", exact=True).fill(TITLE)
    ana.get_by_label("Purpose").fill("A paper on unions")
    for name in FILES:
        ana.get_by_label(name, exact=True).check()
    ana.get_by_label("What mend_region.csv shows").fill("People by region")
    ana.get_by_role("button", name="Try the checks first").click()
    missing = ana.get_by_label("What mend_group.csv shows")
    expect(ana.locator("p.error")).to_have_text(re.compile("Say what mend_group.csv shows"))
    expect(missing).to_have_attribute("aria-invalid", "true")
    expect(missing).to_be_focused()
    expect(ana.get_by_label("Title", exact=True)).to_have_value(TITLE)
    expect(ana.get_by_label("mend_region.csv", exact=True)).to_be_checked()
    expect(ana.get_by_label("What mend_region.csv shows")).to_have_value("People by region")
    assert faults(ana, "a form that came back") == []
    missing.fill("People by union group")
    ana.get_by_role("button", name="Try the checks first").click()
    expect(ana.locator(".notice.good")).to_contain_text("Checked, and not submitted")
    expect(ana.locator(".finding.blocks").first).to_contain_text("1 count is below 10")
    expect(ana.locator(".head .tag").first).to_have_text("draft")
    assert faults(ana, "a draft") == []
    return ana.url.rsplit("/", 1)[1]


def vote_by_keys(page: Page, reason: str, *, first: str) -> None:
    """Goes to the first file, votes, says why, and clicks nothing but the button."""
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press(first)
    page.keyboard.press("w")
    page.keyboard.type(reason)
    page.locator("section.file").first.get_by_role("button", name="Vote").click()
    expect(page.locator(".notice.good")).to_contain_text("Your vote is kept")


def test_a_request_is_mended_and_both_turns_are_seen_side_by_side(crowd: Crowd) -> None:
    folder = workspace(crowd, "wages", "ana")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    ana = crowd.page("ana", "releases/new?project=wages")
    request = ""
    try:
        request = write_draft(ana)
        ana.get_by_role("button", name="Submit for review").click()
        expect(ana.locator(".head .tag").first).to_have_text("in review")

        tom = crowd.page("tom", "queue?sort=checks&show=free")
        expect(tom.locator("#queue")).to_contain_text(TITLE)
        tom.goto(f"{crowd.portal}reviews/{request}")
        group = tom.locator("section.file", has_text="mend_group.csv").first
        expect(group.locator(".preview td.at")).to_have_text("3")
        expect(group.get_by_role("button", name="Show the cell")).to_be_visible()
        expect(tom.locator("main")).to_contain_text("the author ran the checks 1 time")
        group.locator(".preview td", has_text="union").click()
        expect(group.get_by_label(re.compile("^Place"))).to_have_value("row 1 / group")
        assert faults(tom, "a review") == []
        vote_by_keys(tom, "Three people are too few.", first="c")
        expect(tom).to_have_url(re.compile(r"#f\d+$"))  # on to the file that has no vote yet
        tia = crowd.page("tia", f"reviews/{request}")
        vote_by_keys(tia, "Join the groups.", first="c")
        for reviewer in (tom, tia):
            reviewer.goto(f"{crowd.portal}reviews/{request}")
            region = reviewer.locator("section.file", has_text="mend_region.csv").first
            if region.get_by_role("button", name="Vote").count():
                region.get_by_label("Approve: it may leave").check()
                region.get_by_label(re.compile("^Why")).fill("Large.")
                region.get_by_role("button", name="Vote").click()
                expect(reviewer.locator(".notice.good")).to_contain_text("Your vote is kept")

        ana.goto(crowd.portal)
        ana.get_by_role("link", name=f"Reviewers ask for changes: {TITLE}").click()
        expect(ana.locator("#ed ~ .editing").first).to_contain_text("Three people are too few.")
        (folder / "mend_group.csv").write_text("group,people\nunion,120\nother or none,50\n")
        ana.get_by_role("button", name="Submit for review").click()
        expect(ana.locator(".head .tag").first).to_have_text("in review")

        tom.goto(f"{crowd.portal}reviews/{request}")
        group = tom.locator("section.file", has_text="mend_group.csv").first
        group.get_by_text("Compare with turn 1").click()
        expect(group.locator("table.turns del")).to_have_text("other | 3")
        expect(group.locator("table.turns ins")).to_have_text("other or none | 50")
        expect(tom.locator("section.file", has_text="mend_region.csv").first).to_contain_text("unchanged since turn 1")
        assert faults(tom, "a second turn") == []
    finally:
        if request:
            ana.goto(f"{crowd.portal}releases/{request}")
            if ana.get_by_text("Withdraw the request").count():
                ana.get_by_text("Withdraw the request").first.click()
                ana.locator("#r-wd").fill("it was a test")
                ana.get_by_role("button", name="Withdraw the request").click()
                expect(ana.locator(".head .tag").first).to_have_text("withdrawn")
        for name in FILES:
            (folder / name).unlink(missing_ok=True)


def test_keys_do_nothing_while_somebody_types_and_can_be_switched_off(crowd: Crowd) -> None:
    page = crowd.page("tom", "queue")
    page.locator("#find").press_sequentially("jkacrn")
    expect(page.locator("#find")).to_have_value("jkacrn")
    assert page.url.endswith("/queue")
