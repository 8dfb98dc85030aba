"""Sessions in a real Chromium: a warning is shown, saves and ends; JupyterLab works without frames where script does not run."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from playwright.sync_api import Frame, Page, expect, sync_playwright

from hub import keys, ports, tickets
from hub.workspaces import workspace
from tests.integration.gateway.gateway_world import Browser, World, wait_for

PATIENCE = 120_000  # milliseconds
REASON = "Your access to hiv/full has ended."
NOTEBOOK = {
    "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "before"}],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


class Portal(BaseHTTPRequestHandler):
    """The page that frames a session, at the portal's own address."""

    frame = ""

    def do_GET(self) -> None:
        body = f'<!doctype html><iframe src="{self.frame}" style="position:fixed;inset:0;width:100%;height:100%">'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_said: object) -> None:
        """Says nothing."""


def framed(world: World, browser: Browser) -> type[Portal]:
    key = tickets.read_key(world.settings.keys / "ticket.key")
    origin = world.settings.web.session_origin(browser.session)
    return type("Framed", (Portal,), {"frame": f"{origin}/enter?ticket={tickets.issue(key, browser.session, 'ana')}"})


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        yield chromium.new_page(viewport={"width": 1280, "height": 850})
        chromium.close()


def open_in(page: Page, world: World, browser: Browser) -> Frame:
    """The session's frame in a page at the portal's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), framed(world, browser))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    token = keys.read_secret(world.settings, "proxy.token")
    route = f"{ports.load_ports(world.settings).url('proxy_api')}/api/routes/{world.settings.web.host}"
    target = {"target": f"http://127.0.0.1:{server.server_port}"}
    httpx.post(route, json=target, headers={"Authorization": f"token {token}"}).raise_for_status()
    page.goto(world.settings.web.origin, timeout=PATIENCE)
    origin = world.settings.web.session_origin(browser.session)
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        for frame in page.frames:
            if frame.url.startswith(f"{origin}/lab"):
                return frame
        page.wait_for_timeout(100)
    raise AssertionError([frame.url for frame in page.frames])


def test_a_warning_is_shown_saves_what_is_open_and_ends_the_session(world: World, page: Page) -> None:
    browser = world.open_session("warned", tier=1)
    path = workspace(world.settings, "warned", "ana") / "work.ipynb"
    path.write_text(json.dumps(NOTEBOOK))
    os.chown(path, world.settings.session.uid, world.settings.session.uid)
    frame = open_in(page, world, browser)
    frame.get_by_text("work.ipynb", exact=True).first.dblclick(timeout=PATIENCE)
    cell = frame.locator(".jp-Notebook .jp-MarkdownOutput").first
    cell.dblclick(timeout=PATIENCE)
    frame.locator(".jp-Notebook .cm-content").first.press_sequentially("after ", timeout=PATIENCE)
    assert frame.evaluate("typeof window.jupyterapp") == "undefined"
    assert "after" not in path.read_text()

    assert world.control.warn({browser.session: (REASON, 30)}) == [browser.session]
    banner = frame.locator("#enclave-banner")
    expect(banner).to_contain_text(f"s. Your open files were saved. {REASON}", timeout=PATIENCE)
    assert "after" in path.read_text()

    def is_over() -> bool:
        page.wait_for_timeout(100)
        return browser.get("/api").status_code == 410

    wait_for(is_over, "the end of the session")
    expect(banner).to_contain_text(f"This session has ended. {REASON}", timeout=PATIENCE)


def test_jupyterlab_without_frames_shows_an_html_file_as_text(world: World, strict: Browser, page: Page) -> None:
    path = workspace(world.settings, strict.project, "ana") / "report.html"
    path.write_text("<script>document.title = 'ran'</script>")
    os.chown(path, world.settings.session.uid, world.settings.session.uid)
    frame = open_in(page, world, strict)
    frame.get_by_text("report.html", exact=True).first.dblclick(timeout=PATIENCE)
    expect(frame.locator(".cm-content").first).to_contain_text("<script>", timeout=PATIENCE)
    assert frame.locator("iframe").count() == 0
