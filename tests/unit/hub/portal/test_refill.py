"""A form that was refused comes back with what was typed in it, the sentence beside its field, and nothing that runs."""

import lxml.html
from portal_world import ORIGIN, Browser, PortalWorld

from hub.portal.refill import fill

NASTY = '"></textarea><script>window.hacked=1</script><img src=x onerror=alert(1)>'


def send(browser: Browser, path: str, page: str, **fields: object) -> lxml.html.HtmlElement:
    """Posts a form as a browser does that saw it on `page`; returns the page that is shown then."""
    browser.get(page)
    answer = browser.client.post(
        f"/services/portal/{path}",
        data={"csrf": browser.csrf, **fields},
        headers={"Origin": ORIGIN, "Referer": f"{ORIGIN}/services/portal/{page}"},
    )
    assert answer.status_code in (409, 422), answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    return lxml.html.document_fromstring(answer.text)


def project_fields(**changed: object) -> dict[str, object]:
    return {
        "id": "p99", "title": "Long & well <thought>", "tier": "3", "region": "EU", "start": "2026-01-01",
        "until": "soon", "description": "first line\nsecond line", "purposes": ["DUO:0000006", "DUO:0000042"],
    } | changed  # fmt: skip


def test_what_was_typed_is_still_there_and_the_error_stands_beside_its_field(world: PortalWorld) -> None:
    page = send(world.browser("eve"), "manage-projects", "manage-projects", **project_fields())
    form = page.xpath("//form[contains(@action, 'manage-projects')][.//textarea]")[0]
    assert form.fields["title"] == "Long & well <thought>"
    assert form.fields["description"].strip() == "first line\nsecond line"
    assert form.fields["tier"] == "3"
    assert set(form.fields["purposes"]) == {"DUO:0000006", "DUO:0000042"}
    until = form.xpath(".//input[@name='until']")[0]
    assert until.get("aria-invalid") == "true"
    error = page.get_element_by_id(until.get("aria-describedby").split()[-1])
    assert "must be a day" in error.text
    assert error.get("role") == "alert"
    assert page.findtext(".//title").startswith("Error: ")


def test_a_second_mistake_still_finds_its_way_back(world: PortalWorld) -> None:
    eve = world.browser("eve")
    page = send(eve, "people", "people", id="ana", name="Zoe", email="z@uni.example", affiliation="uni", region="EU")
    kept = dict(page.xpath("//form[.//input[@name='email']]")[0].fields)
    assert kept["came-from"] == "/services/portal/people"
    again = eve.post("people", **kept)  # without a Referer that helps
    assert again.status_code == 422
    assert 'value="z@uni.example"' in again.text


def test_an_error_of_a_service_is_told_beside_the_value_that_it_quotes(world: PortalWorld) -> None:
    page = send(
        world.browser("eve"), "people", "people",
        id="ana", name="Ana", email="a@uni.example", affiliation="uni", region="EU",
    )  # fmt: skip
    told = page.xpath("//form[.//input[@name='email']]//p[@class='error']")
    assert [each.text for each in told] == [
        "There is a person 'ana' already. Choose another id; ids are never used again."
    ]
    assert told[0].getnext().get("name") == "id"


def test_an_error_that_is_about_no_field_stands_before_the_form_and_opens_what_is_folded(world: PortalWorld) -> None:
    page = send(
        world.browser("eve"), "people/ana/lower-clearance", "people/ana", level="4", reason="she asked for it"
    )  # fmt: skip
    form = page.xpath("//form[contains(@action, 'lower-clearance')]")[0]
    assert form.fields["reason"] == "she asked for it"
    assert next(form.iterancestors("details")).get("open") is not None
    assert "nothing to lower" in page.get_element_by_id("form-error").text_content()


def test_the_form_of_several_alike_is_the_one_that_was_sent(world: PortalWorld) -> None:
    html = b"""<html><body><main>
    <form method="post" action="/x"><input type="hidden" name="name" value="a.csv"><input name="context"></form>
    <form method="post" action="/x"><input type="hidden" name="name" value="b.csv"><input name="context"></form>
    </main></body></html>"""
    page = lxml.html.document_fromstring(fill(html, "/x", [("name", "b.csv"), ("context", "means")], "No."))
    assert [form.fields["context"] for form in page.forms] == [None, "means"]


def test_a_file_that_took_anothers_number_is_not_given_its_words(world: PortalWorld) -> None:
    html = b"""<html><body><form method="post" action="/x">
    <input type="checkbox" name="pick" value="1"><input type="hidden" name="name-1" value="new.csv">
    <input name="context-1"></form></body></html>"""
    sent = [("pick", "1"), ("name-1", "old.csv"), ("context-1", "means by region")]
    page = lxml.html.document_fromstring(fill(html, "/x", sent, "No."))
    assert page.xpath("//input[@name='context-1']/@value") == []
    assert page.xpath("//input[@name='pick']/@checked") == []


def test_what_comes_back_is_text_and_never_markup(world: PortalWorld) -> None:
    fields = project_fields(title=NASTY, description=NASTY, until=NASTY)
    page = send(world.browser("eve"), "manage-projects", "manage-projects", **fields)
    form = page.xpath("//form[.//textarea]")[0]
    assert form.fields["title"] == NASTY
    assert form.fields["description"].strip() == NASTY
    assert page.xpath("//img[@src='x']") == []
    assert [each.text for each in page.iter("script") if each.text] == []


def test_a_page_elsewhere_is_never_asked_for(world: PortalWorld) -> None:
    eve = world.browser("eve")
    eve.get("people")
    for came_from in (
        "https://evil.example/services/portal/people",
        "//evil.example/",
        "/hub/home",
        "/services/portal\\x",
    ):
        answer = eve.post("people", **{"id": "zoe", "came-from": came_from})
        assert answer.status_code == 422
        assert "Something is missing or wrong" in answer.text


def test_a_page_that_the_person_may_not_see_is_not_shown_by_the_way(world: PortalWorld) -> None:
    ana = world.browser("ana")
    ana.get("")
    answer = ana.post("access/agreements", **{"came-from": "/services/portal/audit"})
    assert answer.status_code == 422
    assert "Audit log" not in answer.text


def test_a_form_of_an_older_login_is_kept(world: PortalWorld) -> None:
    eve = world.browser("eve")
    eve.get("people")
    eve.csrf = "of-an-older-login"
    answer = eve.client.post(
        "/services/portal/people",
        data={"csrf": eve.csrf, "id": "zoe", "name": "Zoe Older"},
        headers={"Origin": ORIGIN, "Referer": f"{ORIGIN}/services/portal/people"},
    )
    assert answer.status_code == 409
    assert 'value="Zoe Older"' in answer.text
    assert "of-an-older-login" not in answer.text
