"""Real screens: JupyterLab in a real Chromium, at the stock hub and in the enclave, with one notebook of one cell.

The cell shows what `/workspace/shown.py` makes, so that an attack is a file written from inside and the cell run again. All of
Playwright lives in one thread of its own: its loop would stand in the way of tests that run loops themselves.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar, cast

from playwright.sync_api import Browser, BrowserContext, Error, Frame, Page, Playwright, expect, sync_playwright

from hub.container import container_name
from hub.gateway.control import GatewayControl
from tests.browser.conftest import CHROMIUM, Crowd
from tests.redteam.inside import Inside
from tests.redteam.stock import StockHub
from tests.redteam.third_party import GRACE, ThirdParty
from tests.running import Enclave

Result = TypeVar("Result")

PATIENCE = 90_000  # milliseconds
NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code", "id": "attack", "metadata": {}, "execution_count": None, "outputs": [],
            "source": "exec(open('/workspace/shown.py').read())",
        }
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4, "nbformat_minor": 5,
}  # fmt: skip
_numbers = count(1)


class Stage:
    """One Chromium with one profile, driven from one thread.

    The profile is a regular one: in a private one Chromium opens no connection ahead of its use, and an attack that needs it
    would seem to be stopped.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "playwright")
        self._folder = tempfile.TemporaryDirectory(prefix="profile-", ignore_cleanup_errors=True)
        self._playwright: Playwright = self.do(lambda: sync_playwright().start())
        self.context: BrowserContext = self.do(self._launch)

    def _launch(self) -> BrowserContext:
        return self._playwright.chromium.launch_persistent_context(
            self._folder.name,
            executable_path=CHROMIUM,
            args=["--no-sandbox"],
            ignore_default_args=["--disable-background-networking"],  # it too would keep connections from being opened
            viewport={"width": 1280, "height": 850},
            accept_downloads=True,
        )

    def new_context(self, **_options: object) -> BrowserContext:
        """The one context, for whoever would make another."""
        return self.context

    def do(self, work: Callable[[], Result]) -> Result:
        """Runs `work` in Playwright's thread and returns what it returns."""
        return self._thread.submit(work).result()

    def close(self) -> None:
        """Ends Chromium."""
        self.do(self.context.close)
        self.do(self._playwright.stop)
        self._thread.shutdown()
        self._folder.cleanup()


@dataclass
class Screen:
    """A page with JupyterLab in it. `enter` opens the address on the page, whatever has to be started first."""

    stage: Stage
    enter: Callable[[Page], Inside]
    framed: bool  # whether JupyterLab is in a frame of the page
    page: Page | None = None
    inside: Inside | None = None
    downloads: list[str] = field(default_factory=list)
    popups: list[str] = field(default_factory=list)

    # -- for tests ---------------------------------------------------------------------------------------------------

    def show(self, html: str, third_party: ThirdParty | None = None) -> str:
        """Has a cell print `html`, THIRD in it being the third party's address; see `run`."""
        if third_party is not None:
            third_party.pause = self.linger
            html = html.replace("THIRD", third_party.url)
        return self.run(f"from IPython.display import HTML, display\ndisplay(HTML({html!r}))", wait=True)

    def run(self, code: str, *, wait: bool = False) -> str:
        """Runs code in the cell, and after it prints a mark and a script; returns the mark's number once it is shown."""
        mark = f"m{next(_numbers)}"
        last = (
            f'<span id="{mark}">shown</span><script>document.documentElement.dataset.ran = "{mark}";</script>'
            if wait
            else f'<span id="{mark}">shown</span>'
        )
        code = f"{code}\nfrom IPython.display import HTML, display\ndisplay(HTML({last!r}))\n"
        self.stage.do(lambda: self._run(code, mark))
        return mark

    def ran(self, mark: str) -> bool:
        """Whether a script that was printed after the attack has run: so the attack's own did too."""
        return self.look("mark => document.documentElement.dataset.ran === mark", mark) is True

    def told(self) -> str:
        """Waits for what the attack's script writes into `document.documentElement.dataset.told`, and returns it."""
        end = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < end:
            if text := self.look("() => document.documentElement.dataset.told || ''"):
                return str(text)
            time.sleep(0.05)
        raise AssertionError("the script told nothing")

    def look(self, script: str, value: object = None) -> object:
        """What a function of JavaScript gives in JupyterLab's document."""
        return self.stage.do(lambda: self._frame().evaluate(script, value))

    def click(self, selector: str) -> None:
        """Clicks as a person does."""
        self.stage.do(lambda: self._frame().locator(selector).last.click(timeout=PATIENCE))

    def wait_for_download(self, name: str) -> None:
        """Waits until Chromium saves a file of that name."""
        end = time.monotonic() + PATIENCE / 1000
        while name not in self.downloads:
            assert time.monotonic() < end, f"{name} was not saved, only {self.downloads}"
            self.linger(0.1)

    def downloads_after_a_while(self) -> list[str]:
        """What Chromium has saved by the end of a grace."""
        self.linger(GRACE)
        return self.downloads

    def linger(self, seconds: float) -> None:
        """Lets the page go on for so long; events come in meanwhile."""
        self.stage.do(lambda: self._page().wait_for_timeout(seconds * 1000))

    def address(self) -> str:
        """Where the page is now."""
        return self.stage.do(lambda: self._page().url)

    def in_place(self) -> bool:
        """Whether JupyterLab is still there, and no other page in its stead."""
        return self.stage.do(self._in_place)

    def fresh(self) -> None:
        """Opens JupyterLab anew, after an attack that may have led away from it."""
        self.stage.do(self._open)

    # -- in Playwright's thread --------------------------------------------------------------------------------------

    def _page(self) -> Page:
        assert self.page is not None
        return self.page

    def _frame(self) -> Frame:
        page = self._page()
        if not self.framed:
            return page.main_frame
        element = page.query_selector("iframe")
        frame = element.content_frame() if element else None
        if frame is None:
            raise Error("the session's frame is gone")
        return frame

    def _in_place(self) -> bool:
        try:
            return self._frame().locator(".jp-Notebook .jp-Cell .cm-content").first.is_visible()
        except Error:
            return False

    def _has(self, selector: str) -> bool:
        try:
            return self._frame().locator(selector).count() > 0
        except Error:
            return False  # between two pages

    def _open(self) -> None:
        page = self.page = self.page or self._new_page()
        page.bring_to_front()
        # A page that is closed while it goes elsewhere hangs Playwright; led to an empty page it does not.
        for attempt in range(5):
            try:
                page.goto("about:blank", timeout=5000)
                break
            except Error:  # the attack's own navigation came between
                if attempt == 4:
                    raise
                page.wait_for_timeout(500)
        self.inside = self.enter(page)
        frame = self._frame()
        expect(frame.locator("#jp-main-dock-panel")).to_be_visible(timeout=PATIENCE)
        if not self._in_place():
            item = frame.locator('.jp-DirListing-item[title*="attack.ipynb"]').first
            item.dblclick(timeout=PATIENCE)
        expect(frame.locator(".jp-Notebook .jp-Cell .cm-content").first).to_be_visible(timeout=PATIENCE)
        # A cell that is run before the kernel answers is not run at all.
        expect(frame.get_by_text("| Idle")).to_be_visible(timeout=PATIENCE)

    def _new_page(self) -> Page:
        page = self.stage.context.new_page()
        # Whoever is asked whether to leave the page says yes; asking would only hold the browser up.
        page.add_init_script("addEventListener('beforeunload', (event) => event.stopImmediatePropagation(), true)")
        page.on("dialog", lambda dialog: dialog.accept())
        page.on("download", lambda download: self.downloads.append(download.suggested_filename))
        page.on("popup", lambda popup: self.popups.append(popup.url))
        return page

    def _run(self, code: str, mark: str) -> None:
        if self.page is None or not self._in_place():
            self._open()
        page = self._page()
        page.bring_to_front()  # a tab behind another does not draw, and JupyterLab waits for that
        assert self.inside is not None
        write(self.inside, "shown.py", code)
        frame = self._frame()
        frame.evaluate("() => { delete document.documentElement.dataset.told; }")
        frame.locator(".jp-Notebook .jp-Cell .cm-content").first.click(timeout=PATIENCE)
        page.keyboard.press("Control+Enter")
        end = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < end:
            page.wait_for_timeout(50)  # Playwright's own: events go on
            if not self._in_place() or self._has(f"#{mark}"):
                return  # shown, or the attack has led away from JupyterLab
        raise AssertionError(f"the cell's output was not shown: {frame.locator('.jp-OutputArea').first.inner_text()}")


def write(inside: Inside, name: str, text: str) -> None:
    """Writes a file into the workspace, from inside."""
    done = inside.python(f"open('/workspace/{name}', 'w').write({text!r})")
    assert done.worked, done.output


def stock_entrance(stock: StockHub, inside: Inside) -> Callable[[Page], Inside]:
    """To JupyterLab at the stock hub, past its login where that is asked for."""

    def enter(page: Page) -> Inside:
        write(inside, "attack.ipynb", json.dumps(NOTEBOOK))
        page.goto(f"{stock.url}/user/mallory/lab/tree/attack.ipynb?reset")
        if page.locator("#password_input").count():
            page.locator("#username_input").fill("mallory")
            page.locator("#password_input").fill(stock.password)
            page.locator("#password_input").press("Enter")
        return inside

    return enter


def portal_entrance(enclave: Enclave, person: str, project: str) -> Callable[[Page], Inside]:
    """To the portal's page of a session, which is started where none runs."""

    def enter(page: Page) -> Inside:
        record = enclave.session(person, project) or enclave.start_session(person, project)
        inside = Inside(container_name(record.id))
        write(inside, "attack.ipynb", json.dumps(NOTEBOOK))
        page.goto(f"{enclave.settings.web.origin}/services/portal/sessions/{project}")
        return inside

    return enter


def shown_bytes(enclave: Enclave, person: str, project: str) -> int:
    """How many bytes the gateway has counted in the session that runs now."""
    record = enclave.session(person, project)
    rows = GatewayControl(enclave.settings.run / "gateway.sock").sessions()
    return next(int(row["bytes"]) for row in rows if record is not None and row["id"] == record.id)


def open_stage() -> Iterator[Stage]:
    """The stage, for the length of a fixture."""
    stage = Stage()
    yield stage
    stage.close()


def log_in(stage: Stage, enclave: Enclave, person: str) -> None:
    """Logs a person in at the portal, through the provider's own pages."""
    stage.do(lambda: Crowd(enclave, cast(Browser, stage)).log_in(person))
