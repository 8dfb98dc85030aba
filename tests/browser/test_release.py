"""The main road, in browsers: a session, a cell, a table, a review, a download."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import PATIENCE, Crowd

CELL = """\
import os
print('sees', sorted(os.listdir('/data')))
_ = open('by_region.csv', 'w').write('region,people\\nnorth,120\\nsouth,240\\neast,185\\n')
print('written', 6 * 7)"""


def open_lab(page: Page) -> FrameLocator:
    """From the project's page into a notebook of the session."""
    page.get_by_role("button", name="Start a session").click()
    lab = page.frame_locator("iframe")
    expect(lab.locator("#jp-main-dock-panel")).to_be_visible(timeout=2 * PATIENCE)
    return lab


def run_cell(lab: FrameLocator, page: Page, code: str) -> None:
    """Opens a new notebook and runs one cell in it."""
    lab.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
    editor = lab.locator(".jp-Notebook .jp-Cell .cm-content").first
    expect(editor).to_be_visible()
    # A cell that is run before the kernel answers is not run at all.
    expect(lab.get_by_text("| Idle")).to_be_visible(timeout=2 * PATIENCE)
    editor.click()
    # JupyterLab's editor closes quotes and brackets by itself when they are typed; inserted text stays as it is.
    page.keyboard.insert_text(code)
    expect(editor).to_contain_text(code.splitlines()[-1])
    page.keyboard.press("Shift+Enter")


def test_from_a_session_to_a_download_that_equals_what_was_reviewed(crowd: Crowd, tmp_path: Path) -> None:
    crowd.enclave.stop_session("ana", "wages")
    ana = crowd.page("ana", "projects/wages")
    expect(ana.get_by_role("heading", name="School, work and wages")).to_be_visible()
    try:
        lab = open_lab(ana)
        run_cell(lab, ana, CELL)
        expect(lab.locator(".jp-OutputArea-output").first).to_contain_text("written 42", timeout=2 * PATIENCE)
    finally:
        crowd.enclave.stop_session("ana", "wages")
    expect(ana.get_by_role("heading", name="This session has ended")).to_be_visible()

    ana.goto(f"{crowd.portal}releases/new?project=wages")
    ana.get_by_label("Title", exact=True).fill("People by region")
    ana.get_by_label("Purpose").fill("A paper on wages")
    ana.get_by_label("by_region.csv", exact=True).check()
    ana.get_by_label("What by_region.csv shows").fill("People by region; every count is above 100")
    ana.get_by_role("button", name="Submit for review").click()
    expect(ana.locator("h1")).to_have_text("People by region")
    expect(ana.locator(".head .tag").first).to_have_text("in review")
    request = ana.url.rsplit("/", 1)[1]
    expect(ana.get_by_role("button", name="Download")).to_have_count(0)

    tom = crowd.page("tom", "queue")
    tom.locator(f'a[href$="/reviews/{request}"]').click()
    expect(tom.locator(".preview table.data")).to_contain_text("north")
    leaves = re.findall(r"[0-9a-f]{64}", tom.locator("section.file", has_text="by_region.csv").first.inner_text())[-1]
    tom.get_by_label("Approve: it may leave").check()
    tom.get_by_label(re.compile("^Why")).fill("Every count is above the threshold.")
    tom.get_by_role("button", name="Vote", exact=True).click()
    expect(tom.locator(".notice.good")).to_contain_text("Your vote is kept")

    ana.goto(f"{crowd.portal}releases/{request}")
    with ana.expect_download() as waiting:
        ana.get_by_role("button", name="Download", exact=True).click()
    saved = tmp_path / "saved.csv"
    waiting.value.save_as(saved)
    assert waiting.value.suggested_filename == "by_region.csv"
    assert hashlib.sha256(saved.read_bytes()).hexdigest() == leaves
    assert b"north,120" in saved.read_bytes()


def test_a_download_inside_the_session_is_refused_with_the_way_out(crowd: Crowd) -> None:
    with crowd.enclave.running_session("ana", "empty") as record:
        page = crowd.page("ana", "sessions/empty")
        expect(page.frame_locator("iframe").locator("#jp-main-dock-panel")).to_be_visible(timeout=2 * PATIENCE)
        other = crowd.page("ana")
        other.goto(f"{crowd.enclave.settings.web.session_origin(record.id)}/files/x.csv")
        expect(other.locator("body")).to_contain_text(re.compile("release", re.IGNORECASE))


def test_a_session_without_data_says_so(crowd: Crowd) -> None:
    page = crowd.page("ana", "projects/empty")
    expect(page.get_by_text("No dataset is granted to you in this project today")).to_be_visible()


def test_a_session_shows_nothing_to_another_person(crowd: Crowd) -> None:
    with crowd.enclave.running_session("ana", "empty") as record:
        tom = crowd.page("tom")
        tom.goto(f"{crowd.enclave.settings.web.session_origin(record.id)}/lab")
        expect(tom.locator("#jp-main-dock-panel")).to_have_count(0)
        expect(tom.get_by_text("You have no project empty")).to_be_visible()
