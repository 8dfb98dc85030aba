"""Pages that say no, with a sentence; and what people write never runs in another's browser."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd

PAYLOAD = "<img src=x onerror=\"window.hacked='yes';alert(1)\"><script>window.hacked='yes'</script>"
NAME = "<img src=x onerror=alert(1)>.csv"


@pytest.mark.parametrize("path", ["people", "policy", "audit", "running", "queue", "why"])
def test_a_researcher_is_told_that_a_page_is_not_theirs(crowd: Crowd, path: str) -> None:
    page = crowd.page("ana", path)
    expect(page.get_by_role("heading", name="Not permitted")).to_be_visible()
    page.get_by_role("link", name="Home").first.click()
    expect(page.get_by_role("heading", name=re.compile("Good to see you"))).to_be_visible()


def test_a_suspended_project_opens_no_session_and_says_why(crowd: Crowd) -> None:
    page = crowd.page("ana", "projects")
    card = page.locator(".card", has_text="A project that was suspended")
    expect(card.get_by_text("No session can be opened here today")).to_be_visible()
    expect(card.get_by_role("button", name="Start a session")).to_have_count(0)


def test_why_not_is_told_in_sentences(crowd: Crowd) -> None:
    page = crowd.page("bo", "projects/smoking")
    unseen = page.locator(".card", has_text="What it does not see, and why")
    expect(unseen).to_contain_text("clearance")


def watch(page: Page) -> list[str]:
    """Notes each dialog that a script opens."""
    seen: list[str] = []

    def note(dialog: object) -> None:
        seen.append(str(dialog))
        dialog.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", note)
    return seen


def workspace(crowd: Crowd, project: str, person: str) -> Path:
    """The workspace's folder, made as the spawner makes it when no session was started yet."""
    folder = crowd.enclave.settings.workspaces / project / person
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_what_a_researcher_names_writes_and_says_never_runs(crowd: Crowd) -> None:
    folder = workspace(crowd, "wages", "ana")
    notebook = {
        "cells": [
            {
                "cell_type": "code", "execution_count": 1, "id": "a", "metadata": {}, "source": PAYLOAD,
                "outputs": [
                    {"output_type": "display_data", "metadata": {}, "data": {"text/html": PAYLOAD, "text/plain": PAYLOAD}},
                    {"output_type": "stream", "name": "stdout", "text": PAYLOAD},
                ],
            },
            {"cell_type": "markdown", "id": "b", "metadata": {}, "source": f"# Title\n\n{PAYLOAD}"},
        ],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    (folder / NAME).write_text("a,n\nx,120\n")
    (folder / "attack.ipynb").write_text(json.dumps(notebook))
    (folder / "attack.csv").write_text(f'name,people\n"{PAYLOAD.replace(chr(34), chr(34) * 2)}",120\n')
    try:
        ana = crowd.page("ana", "releases/new?project=wages")
        dialogs = watch(ana)
        expect(ana.locator("#files")).to_contain_text("<img src=x")
        ana.get_by_label("Title", exact=True).fill(PAYLOAD)
        ana.get_by_label("Purpose").fill(PAYLOAD)
        for name in ("attack.ipynb", "attack.csv"):
            ana.get_by_label(name, exact=True).check()
            ana.get_by_label(f"What {name} shows").fill(PAYLOAD)
        ana.get_by_role("button", name="Submit for review").click()
        expect(ana.locator("h1")).to_have_text(PAYLOAD)
        request = ana.url.rsplit("/", 1)[1]
        ana.get_by_label("Say something to the reviewers").fill(PAYLOAD)
        ana.get_by_role("button", name="Say it").click()
        expect(ana.locator("#co ~ ul")).to_contain_text(PAYLOAD)

        tom = crowd.page("tom", "queue")
        dialogs += watch(tom)
        expect(tom.locator("table")).to_contain_text(PAYLOAD)
        tom.goto(f"{crowd.portal}reviews/{request}")
        expect(tom.locator(".preview a")).to_have_count(0)
        expect(tom.locator(".preview").first).to_contain_text("<script>")
        expect(tom.locator(".preview").last).to_contain_text("<script>")
        for page in (ana, tom):
            assert page.evaluate("window.hacked") is None
            assert page.locator("img[src=x]").count() == 0
        assert dialogs == []
        ana.get_by_text("Withdraw the request").first.click()
        ana.locator("#r-wd").fill("it was a test")
        ana.get_by_role("button", name="Withdraw the request").click()
        expect(ana.locator(".head .tag").first).to_have_text("withdrawn")
    finally:
        for name in (NAME, "attack.ipynb", "attack.csv"):
            os.unlink(folder / name)
