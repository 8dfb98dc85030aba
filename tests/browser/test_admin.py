"""Admins in browsers: a change of policy is previewed by one and approved by another."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from access_control import clock
from tests.browser.conftest import PATIENCE, Crowd

COLUMNS = "change,id,eft,role,project,data,act,purpose,region,start,until,training"


def test_a_change_is_previewed_proposed_approved_and_taken_back(crowd: Crowd) -> None:
    start = clock.today() + timedelta(days=30)
    change = f"{COLUMNS}\nadd,BAN-9,deny,researcher,project:wages,any,mount,any,any,{start},{start},any\n"
    try:
        eve = crowd.page("eve", "policy")
        eve.get_by_label("Changes, as CSV").fill(change)
        eve.get_by_label("Reason").fill("A day of maintenance")
        eve.get_by_role("button", name="Preview who gains and loses").click()
        expect(eve.locator("#preview")).to_contain_text("0 gained")
        expect(eve.locator("#preview")).to_contain_text("ana")
        eve.get_by_role("button", name="Propose", exact=True).click()
        expect(eve.get_by_text("another admin has to approve it")).to_be_visible()
        expect(eve.get_by_role("button", name="Approve and put in force")).to_have_count(0)

        adam = crowd.page("adam")
        adam.goto(eve.url)
        adam.get_by_role("button", name="Approve and put in force").click()
        expect(adam.locator(".notice.good")).to_contain_text("is in force")
        expect(adam.locator("#policy-rows")).to_contain_text("BAN-9")
    finally:
        take_back(crowd)


def take_back(crowd: Crowd) -> None:
    """Removes the row again, by two admins, when it came to be."""
    eve = crowd.page("eve", "policy")
    if "BAN-9" not in eve.locator("#policy-rows").inner_text():
        return
    eve.get_by_label("Changes, as CSV").fill("change,id\nremove,BAN-9\n")
    eve.get_by_label("Reason").fill("The day is over")
    eve.get_by_role("button", name="Propose", exact=True).click()
    expect(eve.get_by_text("another admin has to approve it")).to_be_visible()
    adam = crowd.page("adam")
    adam.goto(eve.url)
    adam.get_by_role("button", name="Approve and put in force").click()
    expect(adam.locator("#policy-rows")).not_to_contain_text("BAN-9")


def test_a_mistake_in_a_change_is_told_with_its_line(crowd: Crowd) -> None:
    eve = crowd.page("eve", "policy")
    eve.get_by_label("Changes, as CSV").fill("change,id,eft\nadd,BAN-8,Deny\n")
    eve.get_by_role("button", name="Preview who gains and loses").click()
    expect(eve.locator("#preview")).to_contain_text("line 2")


def test_the_log_verifies_in_the_page(crowd: Crowd) -> None:
    page = crowd.page("ivy", "audit")
    expect(page.get_by_text("The log verifies.")).to_be_visible()


def test_an_admin_stops_a_session_and_the_researcher_reads_why(crowd: Crowd) -> None:
    with crowd.enclave.running_session("ana", "empty"):
        ana = crowd.page("ana", "sessions/empty")
        expect(ana.frame_locator("iframe").locator("#jp-main-dock-panel")).to_be_visible(timeout=2 * PATIENCE)
        eve = crowd.page("eve", "running")
        card = eve.locator(".card", has_text="ana in empty")
        card.get_by_text("Stop this session").first.click()
        card.get_by_label(re.compile("^Reason")).fill("A fire drill")
        card.get_by_role("button", name="Stop this session").click()
        expect(eve.locator(".notice.good")).to_contain_text("was cut")
        expect(ana.get_by_role("heading", name="This session has ended")).to_be_visible()
        expect(ana.locator("#stage")).to_contain_text("A fire drill")
