"""A session passes its budget and pauses; a data steward reads what flowed, lets it go on, and later ends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.tour.person import Person
from tests.browser.conftest import PATIENCE, Crowd
from tests.running import Enclave, wait_for

PROJECT = "wages"
PER_DAY = 3_000_000
BIG = "big.txt"  # of 100 kB, sent in one piece: a longer answer would be broken off in the middle


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Crowd]:
    """An enclave of this module's own, whose tier 2 may be shown a few megabytes a day."""
    more = f"\n[tiers.2]\nbytes_per_day = {PER_DAY}\n"
    running = Enclave.start(tmp_path_factory.mktemp("tight"), more)
    crowd = Crowd(running, chromium)
    yield crowd
    for context in crowd.contexts.values():
        context.close()
    running.close()


def read_until_paused(ana: Person) -> None:
    """Shows a big file again and again, as a researcher who copies it from the screen would."""
    for _ in range(60):
        answer = ana.browser.get(f"{ana.session}/api/contents/{BIG}?content=1&type=file&format=text")
        if answer.status_code == 429:
            return
        assert answer.status_code == 200, answer.text[:300]
    raise AssertionError("six megabytes were shown, and the session is not paused")


def decide(page: Page, words: str, reason: str) -> None:
    """Opens a decision of the one incident that waits, says why, and makes it."""
    card = page.locator(".card", has=page.locator(".tag.open"))

    def shown() -> bool:
        """The gateway writes an incident down a moment after it paused the session."""
        page.reload()
        return card.count() == 1

    wait_for("the incident that waits", shown)
    choice = card.locator("details", has_text=words).last
    choice.locator("summary").click()
    choice.get_by_label("Reason").fill(reason)
    choice.get_by_role("button", name=words).click()


def test_a_steward_lets_a_paused_session_go_on_and_then_ends_it(tight: Crowd) -> None:
    enclave = tight.enclave
    ana = Person(enclave.settings.web.origin, "ana", enclave.secret("ana"))
    ana.log_in()
    try:
        ana.open_session(PROJECT)
        record = enclave.session("ana", PROJECT)
        assert record is not None
        code, said = enclave.inside(record.id, ["sh", "-c", f"yes ruler | head -c 100000 > /workspace/{BIG}"])
        assert code == 0, said
        seen = tight.page("ana", f"sessions/{PROJECT}")
        lab = seen.frame_locator("iframe")
        expect(lab.locator("#jp-main-dock-panel")).to_be_visible(timeout=2 * PATIENCE)

        read_until_paused(ana)
        expect(lab.locator("#enclave-banner")).to_contain_text("It is paused")

        tia = tight.page("tia", "incidents")
        card = tia.locator(".card", has_text="ana in wages")
        expect(card).to_contain_text("wagepan")
        card.get_by_text("What flowed").click()
        expect(card.locator("table")).to_contain_text(BIG)
        expect(card).not_to_contain_text("ruler")
        assert "ana in wages" not in tight.page("sol", "incidents").inner_text("main")

        decide(tia, "Let it go on", "A table that had to be read")
        expect(tia.locator(".notice.good")).to_contain_text("The session goes on")
        expect(tia.locator(".card", has_text="ana in wages")).to_contain_text("Decided by tia")
        expect(lab.locator("#enclave-banner")).to_be_hidden()
        assert ana.session_answers()

        read_until_paused(ana)
        decide(tia, "End the session", "It is copied from the screen")
        expect(tia.locator(".notice.good")).to_contain_text("was ended")
        expect(seen.get_by_role("heading", name="This session has ended")).to_be_visible()
        expect(seen.locator("#stage")).to_contain_text("It is copied from the screen")
        wait_for("the end of the container", lambda: enclave.session("ana", PROJECT) is None)
        decided = [entry for entry in enclave.audit("incident:decided") if entry["actor"] == "tia"]
        assert {"A table that had to be read", "It is copied from the screen"} <= {
            str(entry["details"].get("reason")) for entry in decided
        }
    finally:
        tight.close_pages()
        ana.close()
        enclave.stop_session("ana", PROJECT)
