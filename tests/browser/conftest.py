"""Browsers of the demo's people, logged in through the provider's own pages as they would be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.running import Enclave

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 60_000  # milliseconds

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield browser
    browser.close()


@dataclass
class Crowd:
    """Each person has one context, logged in once; every test gets pages of its own."""

    enclave: Enclave
    chromium: Browser
    contexts: dict[str, BrowserContext] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)

    def page(self, person: str, path: str = "") -> Page:
        """A new page of that person at a path of the portal."""
        if person not in self.contexts:
            self.contexts[person] = self.log_in(person)
        page = self.contexts[person].new_page()
        self.pages.append(page)
        page.goto(f"{self.portal}{path}")
        return page

    @property
    def portal(self) -> str:
        return f"{self.enclave.settings.web.origin}/services/portal/"

    def log_in(self, person: str) -> BrowserContext:
        """Logs in through the provider: name, password, one-time code, and consent where it asks for it."""
        context = self.chromium.new_context(viewport={"width": 1280, "height": 850}, accept_downloads=True)
        context.set_default_timeout(PATIENCE)
        secret = self.enclave.secret(person)
        page = context.new_page()
        page.goto(self.portal)
        sent = ""
        for _ in range(12):
            if page.url.startswith(self.portal):
                break
            if page.locator("input[name=password]").count():
                if page.locator("input[name=login]").count():
                    page.locator("input[name=login]").fill(person)
                page.locator("input[name=password]").fill(secret.password)
                page.locator("input[name=password]").press("Enter")
            elif page.locator("input[name=otp]").count():
                clock = pyotp.TOTP(secret.otp_seed)
                while clock.now() == sent:
                    time.sleep(0.5)
                sent = clock.now()
                page.locator("input[name=otp]").fill(sent)
                page.locator("input[name=otp]").press("Enter")
            elif page.locator("input[name=login]").count():
                page.locator("input[name=login]").fill(person)
                page.locator("input[name=login]").press("Enter")
            elif page.locator("button[name=answer][value=accept]").count():
                page.locator("button[name=answer][value=accept]").click()
            page.wait_for_load_state("networkidle")
        assert page.url.startswith(self.portal), f"{person} was not let in: {page.url}\n{page.inner_text('body')[:500]}"
        page.close()
        return context

    def close_pages(self) -> None:
        for page in self.pages:
            page.close()
        self.pages.clear()


@pytest.fixture(scope="session")
def everyone(enclave: Enclave, chromium: Browser) -> Iterator[Crowd]:
    crowd = Crowd(enclave, chromium)
    yield crowd
    for context in crowd.contexts.values():
        context.close()


@pytest.fixture
def crowd(everyone: Crowd) -> Iterator[Crowd]:
    yield everyone
    everyone.close_pages()
