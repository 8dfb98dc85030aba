"""What admins, leads and addresses carry is shown as text on every page that shows it, and none of it runs."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from playwright.sync_api import Page, expect

from access_control import clock
from tests.browser.conftest import Crowd
from tests.browser.test_admin import COLUMNS
from tests.browser.test_refusals import PAYLOAD, watch

REFLECTED = (
    ("ivy", "audit?words={}"), ("ivy", "audit?act={}"), ("ivy", "why?person={}&project={}&data={}"),
    ("ivy", "who-had?dataset={}"), ("ivy", "who-had?dataset=gpa2&at={}"), ("ivy", "people/{}"),
    ("tom", "queue?sort={}&show={}"), ("tom", "reviews/{}"), ("ana", "releases/new?project={}"), ("ana", "projects/{}"),
    ("ana", "projects/wages/why?data={}"), ("ana", "catalogue/{}"), ("ana", "imports?project={}"), ("ana", "sessions/{}"),
)  # fmt: skip
SHOWING = (
    ("eve", ("people", "manage-projects", "policy", "running", "audit", "people/mallory", "people/ana")),
    ("ivy", ("audit", "who-had?dataset=gpa2", "why", "people", "manage-projects")),
    ("cem", ("projects/wages", "", "access")), ("ana", ("projects/wages", "projects")),
)  # fmt: skip


def inert(page: Page, where: str) -> None:
    """Nothing of the payload became an element, and nothing ran."""
    assert page.evaluate("window.hacked") is None, where
    assert page.locator("img[src=x]").count() == 0, where
    assert page.locator("main script").count() == 0, where


def test_what_is_in_an_address_never_runs(crowd: Crowd) -> None:
    for person, path in REFLECTED:
        page = crowd.page(person)
        dialogs = watch(page)
        page.goto(crowd.portal + path.replace("{}", quote(PAYLOAD, safe="")))
        inert(page, path)
        assert dialogs == [], path
        page.close()


def test_names_titles_and_reasons_never_run(crowd: Crowd) -> None:
    eve = crowd.page("eve", "people")
    dialogs = watch(eve)
    form = eve.locator("section", has_text="Enrol a person").last.locator("form")
    form.get_by_label("Id", exact=True).fill("mallory")
    form.get_by_label("Name", exact=True).fill(PAYLOAD)
    form.get_by_label("E-mail").fill("mallory@uni.example")
    form.get_by_label("Region").fill("not a region!")
    form.get_by_role("button", name="Enrol").click()
    # A mistake first: the form comes back with the name in it, as text.
    expect(eve.locator("[role=alert]")).to_be_visible()
    expect(eve.locator("form", has_text="E-mail").get_by_label("Name", exact=True)).to_have_value(PAYLOAD)
    inert(eve, "the form that came back")
    again = eve.locator("form", has_text="E-mail")
    again.get_by_label("Region").fill("EU")
    again.get_by_role("button", name="Enrol").click()
    expect(eve.locator("h1")).to_have_text(PAYLOAD)
    inert(eve, "the person's page")

    eve.goto(f"{crowd.portal}policy")
    start = clock.today() + timedelta(days=30)
    eve.get_by_label("Changes, as CSV").fill(
        f"{COLUMNS}\nadd,BAN-7,deny,researcher,project:wages,any,mount,any,any,{start},{start},any\n"
    )
    eve.get_by_label("Reason").fill(PAYLOAD)
    eve.get_by_role("button", name="Propose", exact=True).click()
    expect(eve.locator(".lead")).to_contain_text(PAYLOAD)
    proposal = eve.url
    cem = crowd.page("cem", "projects/wages")
    dialogs += watch(cem)
    cem.get_by_label("Declare an output").fill(PAYLOAD)
    cem.get_by_role("button", name="Declare").click()
    expect(cem.locator("#int ~ ul")).to_contain_text(PAYLOAD)
    try:
        for person, paths in SHOWING:
            for path in paths:
                page = crowd.page(person)
                seen = watch(page)
                page.goto(crowd.portal + path)
                inert(page, f"{person}: {path}")
                assert seen == [], path
                page.close()
        assert dialogs == []
    finally:
        cem.locator("#int ~ ul li", has_text="onerror").get_by_role("button", name="Strike").click()
        eve.goto(proposal)
        eve.get_by_text("Refuse").first.click()
        eve.get_by_label("Reason").fill("it was a test")
        eve.get_by_role("button", name="Refuse").click()
        expect(eve.locator(".notice.good")).to_contain_text("Refused")
