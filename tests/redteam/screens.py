"""Real screens: JupyterLab in a real Chromium, at the stock hub and in the enclave, with one notebook of one cell.

The cell shows what `/workspace/shown.py` makes, so that an attack is a file written from inside and the cell run again. All of
Playwright lives in one thread of its own: its loop would stand in the way of tests that run loops themselves.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from playwright.sync_api import Browser, BrowserContext, Error, Frame, Page, Playwright, expect, sync_playwright

from hub.container import container_name
from tests.browser.conftest import CHROMIUM, Crowd
from tests.redteam.inside import Inside
from tests.redteam.stock import StockHub
from tests.redteam.third_party import ThirdParty
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
    """One Chromium, driven from one thread."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "playwright")
        self._playwright: Playwright = self.do(lambda: sync_playwright().start())
        self.chromium: Browser = self.do(self._launch)

    def _launch(self) -> Browser:
        arguments = ["--no-sandbox", "--host-resolver-rules=MAP *.third-party.test 127.0.0.1"]
        return self._playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)

    def do(self, work: Callable[[], Result]) -> Result:
        """Runs `work` in Playwright's thread and returns what it returns."""
        return self._thread.submit(work).result()

    def close(self) -> None:
        """Ends Chromium."""
        self.do(self.chromium.close)
        self.do(self._playwright.stop)
        self._thread.shutdown()


@dataclass
class Screen:
    """A page with JupyterLab in it. `enter` opens the address on the page, whatever has to be started first."""

    stage: Stage
    context: BrowserContext
    enter: Callable[[Page], Inside]
    framed: bool  # whether JupyterLab is in a frame of the page
    page: Page | None = None
    inside: Inside | None = None
    downloads: list[str] = field(default_factory=list)
    popups: list[str] = field(default_factory=list)

    # -- for tests ---------------------------------------------------------------------------------------------------

    def show(self, html: str, third_party: ThirdParty | None = None) -> str:
        """Has a cell print `html`, THIRD in it being the third party's address; see `run`."""
        html = html.replace("THIRD", third_party.url if third_party else "about:invalid")
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

    def address(self) -> str:
        """Where the page is now."""
        return self.stage.do(lambda: self._page().url)

    def in_place(self) -> bool:
        """Whether JupyterLab is still there, and no other page in its stead."""
        return self.stage.do(lambda: self._in_place())

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

    def _open(self) -> None:
        if self.page is not None:
            self.page.close()
        self.page = page = self.context.new_page()
        page.on("dialog", lambda dialog: dialog.accept())
        page.on("download", lambda download: self.downloads.append(download.suggested_filename))
        page.on("popup", lambda popup: self.popups.append(popup.url))
        self.inside = self.enter(page)
        frame = self._frame()
        expect(frame.locator("#jp-main-dock-panel")).to_be_visible(timeout=PATIENCE)
        if not self._in_place():
            item = frame.locator('.jp-DirListing-item[title*="attack.ipynb"]').first
            item.dblclick(timeout=PATIENCE)
        expect(frame.locator(".jp-Notebook .jp-Cell .cm-content").first).to_be_visible(timeout=PATIENCE)
        # A cell that is run before the kernel answers is not run at all.
        expect(frame.get_by_text("| Idle")).to_be_visible(timeout=PATIENCE)

    def _run(self, code: str, mark: str) -> None:
        if self.page is None or not self._in_place():
            self._open()
        assert self.inside is not None
        write(self.inside, "shown.py", code)
        frame = self._frame()
        frame.evaluate("() => { delete document.documentElement.dataset.told; }")
        frame.locator(".jp-Notebook .jp-Cell .cm-content").first.click(timeout=PATIENCE)
        self._page().keyboard.press("Control+Enter")
        try:
            expect(frame.locator(f"#{mark}")).to_be_attached(timeout=PATIENCE)
        except AssertionError:
            if self._in_place():
                raise  # otherwise the attack has led away from JupyterLab before the mark was seen


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


def open_stage() -> Iterator[Stage]:
    """The stage, for the length of a fixture."""
    stage = Stage()
    yield stage
    stage.close()


def log_in(stage: Stage, enclave: Enclave, person: str) -> BrowserContext:
    """The person's browser, logged in at the portal through the provider's own pages."""
    return stage.do(lambda: Crowd(enclave, stage.chromium).log_in(person))
