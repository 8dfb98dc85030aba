"""Takes the pictures of docs/pictures from a running enclave: `python docs/take_pictures.py` (about two minutes)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tests.browser.conftest import CHROMIUM, Crowd  # noqa: E402
from tests.running import Enclave  # noqa: E402

PICTURES = HERE / "pictures"
CELL = """\
import matplotlib.pyplot as plt
import pandas as pd
from pathlib import Path
files = sorted(Path('/data').rglob('*.parquet'))
frame = pd.read_parquet(files[0])
print(files, frame.shape)
(frame.select_dtypes('number').iloc[:, 0].groupby(frame.index % 12).mean().plot(kind='bar'))
open('by_region.csv', 'w').write('region,people,mean_wage\\nnorth,120,5.90\\nsouth,240,5.40\\neast,185,6.15\\n')
open('by_group.csv', 'w').write('group,people\\nunion,12\\nother,3\\n')"""


def shoot(page: Page, name: str, *, whole: bool = True) -> None:
    """Saves a picture when nothing is loading any more."""
    page.wait_for_timeout(1500)
    target = PICTURES / f"{name}.png"
    page.screenshot(path=str(target), full_page=whole)
    with Image.open(target) as picture:
        # 256 colours are enough for pages, in a third of the bytes.
        picture.convert("RGB").quantize(256).save(target, optimize=True)


def session(crowd: Crowd) -> None:
    """The researcher's pages, with a session and a submission."""
    page = crowd.page("ana")
    shoot(page, "home")
    page.goto(f"{crowd.portal}catalogue")
    shoot(page, "catalogue")
    page.goto(f"{crowd.portal}projects/wages")
    shoot(page, "project")
    page.get_by_role("button", name="Start a session").click()
    lab = page.frame_locator("iframe")
    lab.locator('.jp-LauncherCard[data-category="Notebook"]').first.click(timeout=180_000)
    lab.get_by_text("| Idle").wait_for(timeout=180_000)
    lab.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
    page.keyboard.insert_text(CELL)
    page.keyboard.press("Shift+Enter")
    lab.locator(".jp-OutputArea-output img").first.wait_for(timeout=180_000)
    shoot(page, "session", whole=False)
    running = crowd.page("eve", "running")
    shoot(running, "running")
    running.close()
    crowd.pages.remove(running)
    page.goto(f"{crowd.portal}releases/new?project=wages")
    page.get_by_label("Title", exact=True).fill("Wages by region and by group")
    page.get_by_label("Purpose").fill("A paper on what unions do for wages")
    for name, context in (("by_region.csv", "People and mean wage by region"), ("by_group.csv", "People by group")):
        page.get_by_label(name, exact=True).check()
        page.get_by_label(f"What {name} shows").fill(context)
    shoot(page, "release-new")
    page.get_by_role("button", name="Submit for review").click()
    page.locator(".head .tag", has_text="in review").first.wait_for()
    shoot(page, "release")
    review(crowd, page.url.rsplit("/", 1)[1])


def review(crowd: Crowd, request: str) -> None:
    """The steward's pages."""
    page = crowd.page("tom", "queue")
    shoot(page, "queue")
    page.goto(f"{crowd.portal}reviews/{request}")
    page.locator(".preview table").last.wait_for()
    shoot(page, "review")
    for path, name in (("data", "my-data"), ("incidents", "incidents")):
        page.goto(f"{crowd.portal}{path}")
        shoot(page, name)


def admin(crowd: Crowd) -> None:
    """The admin's and the auditor's pages."""
    page = crowd.page("eve", "people")
    shoot(page, "people")
    page.goto(f"{crowd.portal}policy")
    shoot(page, "policy", whole=False)
    auditor = crowd.page("ivy", "audit")
    shoot(auditor, "audit", whole=False)
    auditor.goto(f"{crowd.portal}who-had?dataset=gpa2")
    shoot(auditor, "who-had")
    auditor.goto(f"{crowd.portal}why?person=bo&project=smoking&data=nhefs")
    shoot(auditor, "why")


def take(enclave: Enclave, chromium: Browser) -> None:
    """All of them."""
    PICTURES.mkdir(exist_ok=True)
    crowd = Crowd(enclave, chromium)
    session(crowd)
    admin(crowd)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="enclave-pictures-") as folder, sync_playwright() as playwright:
        running = Enclave.start(Path(folder) / "enclave")
        try:
            take(running, playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]))
        finally:
            running.close()
