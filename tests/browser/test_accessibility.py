"""axe-core finds nothing serious on any page, light and dark, wide and narrow; and no page is wider than its window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Crowd

AXE = Path(__file__).parent / "axe" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NARROW, WIDE = 420, 1280
PAGES = (
    ("ana", ("", "projects", "projects/wages", "sessions/wages", "catalogue", "catalogue/gpa2", "access", "releases",
             "releases/new?project=wages", "imports", "people")),
    ("sol", ("", "queue", "incidents", "data", "calibration", "who-had?dataset=nhefs", "access/agreements/new",
             "access/agreements/AGR-0001")),
    ("eve", ("people", "people/ana", "manage-projects", "policy", "running")),
    ("ivy", ("audit", "who-had", "why?person=bo&project=smoking&data=nhefs", "policy")),
)  # fmt: skip


def faults(page: Page, name: str) -> list[str]:
    """What axe calls serious or critical on the page as it stands, everything folded opened."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    page.wait_for_timeout(100)  # what opened is measured after its event
    # Through the debugger: the page's own policy lets no script in, which is right.
    page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": AXE.read_text()})
    result: dict[str, Any] = page.evaluate("(rules) => axe.run(document, {runOnly: rules})", RULES)
    return [
        f"{name}: {fault['id']}: {fault['help']}: {[node['target'] for node in fault['nodes']][:3]}"
        for fault in result["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("person", "paths"), PAGES, ids=[person for person, _ in PAGES])
def test_nothing_serious_on_the_pages(crowd: Crowd, person: str, paths: tuple[str, ...], scheme: str) -> None:
    found = []
    for path in paths:
        page = crowd.page(person, path)
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        width = WIDE if scheme == "light" else NARROW
        page.set_viewport_size({"width": width, "height": 850})
        found += faults(page, f"{path or 'home'} {scheme}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{path or 'home'} is {wide} pixels wide in a window of {width}")
        assert page.title().endswith("Enclave")
        page.close()
    assert found == []


def test_focus_can_be_seen_and_the_first_tab_skips_the_menu(crowd: Crowd) -> None:
    page = crowd.page("ana", "catalogue")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_the_auditors_page_prints_what_an_auditor_keeps(crowd: Crowd) -> None:
    page = crowd.page("ivy", "who-had?dataset=gpa2")
    page.emulate_media(media="print")
    for kept in ("Who had access", "Made by", "Ivy Brandt (ivy)", "UTC", "Sessions that had"):
        assert kept in page.inner_text("body"), kept
    for left_out in (".menu", ".top", "main form", "footer"):
        assert not page.locator(left_out).first.is_visible(), left_out
