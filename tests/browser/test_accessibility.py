"""axe-core finds nothing serious on any page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import Crowd

AXE = Path(__file__).parent / "axe" / "axe.min.js"
PAGES = (
    ("ana", ("", "projects", "projects/wages", "sessions/wages", "catalogue", "catalogue/gpa2", "access", "releases",
             "releases/new?project=wages", "imports", "people")),
    ("sol", ("queue", "incidents", "data", "calibration", "who-had", "access/agreements/new",
             "access/agreements/AGR-0001")),
    ("eve", ("people", "people/ana", "manage-projects", "policy", "running")),
    ("ivy", ("audit", "who-had", "why?person=bo&project=smoking&data=nhefs")),
)  # fmt: skip


@pytest.mark.parametrize(("person", "paths"), PAGES, ids=[person for person, _ in PAGES])
def test_nothing_serious_on_the_pages(crowd: Crowd, person: str, paths: tuple[str, ...]) -> None:
    found = []
    for path in paths:
        page = crowd.page(person, path)
        # Through the debugger: the page's own policy lets no script in, which is right.
        page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": AXE.read_text()})
        result = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})")
        found += [
            f"{path}: {fault['id']}: {fault['help']}: {[node['target'] for node in fault['nodes']][:3]}"
            for fault in result["violations"]
            if fault["impact"] in ("serious", "critical")
        ]
    assert found == []
