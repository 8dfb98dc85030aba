"""The headers of every answer, and changes that no page of ours has asked for."""

import json

import pytest
from portal_world import ORIGIN, PortalWorld
from sqlalchemy import select

from access_control.audit import AuditEntry
from access_control.database import reading

EVIL = ["http://s-0123.enclave.localhost:8000", "https://enclave.localhost:8000", "http://evil.example", "null", ""]


def test_every_answer_carries_the_headers(world: PortalWorld) -> None:
    browser = world.browser("ana")
    for path in ("", "catalogue", "nowhere", "people", "static/portal.css", "api/me"):
        headers = browser.get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY"
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == ("max-age=600" if path.startswith("static/") else "no-store")


def test_only_the_session_page_frames_and_only_that_session(world: PortalWorld) -> None:
    record = world.running("ana")
    browser = world.browser("ana")
    assert "frame-src 'none'" in browser.get("projects").headers["content-security-policy"]
    answer = browser.get("sessions/p17")
    assert f"frame-src http://s-{record.id}.enclave.localhost:8000;" in answer.headers["content-security-policy"]
    assert f"http://s-{record.id}.enclave.localhost:8000/enter?ticket=" in answer.text


def test_no_page_has_inline_script_or_style(world: PortalWorld) -> None:
    browser = world.browser("eve")
    for path in ("", "policy", "people", "people/ana", "audit", "catalogue/hiv"):
        text = browser.get(path).text
        assert "<style" not in text
        assert ' style="' not in text
        assert " onclick=" not in text
        assert text.count("<script") == text.count("<script src=")


@pytest.mark.parametrize("origin", EVIL)
def test_a_change_from_another_origin_is_refused(world: PortalWorld, origin: str) -> None:
    browser = world.browser("ana")
    answer = browser.post("projects/p17/start", origin=origin)
    assert answer.status_code == 403
    assert world.hub.servers.get("ana", {}) == {}


def test_a_change_without_an_origin_is_refused(world: PortalWorld) -> None:
    browser = world.browser("ana")
    browser.get("")
    answer = browser.client.post("/services/portal/projects/p17/start", data={"csrf": browser.csrf})
    assert answer.status_code == 403


@pytest.mark.parametrize("token", ["", "x", "0" * 43])
def test_a_change_without_the_forms_token_is_refused(world: PortalWorld, token: str) -> None:
    browser = world.browser("ana")
    browser.csrf = token or "x"
    answer = browser.client.post(
        "/services/portal/projects/p17/start", data={"csrf": token}, headers={"Origin": ORIGIN}
    )
    assert answer.status_code == 409
    assert world.hub.servers.get("ana", {}) == {}


def test_the_token_of_another_person_is_refused(world: PortalWorld) -> None:
    other, browser = world.browser("eve"), world.browser("ana")
    other.get("")
    browser.csrf = other.csrf
    assert browser.post("projects/p17/start").status_code == 409


def test_a_huge_form_is_refused_unread(world: PortalWorld) -> None:
    browser = world.browser("ana")
    assert browser.post("releases/new", title="x" * (3 * 1024 * 1024)).status_code == 413


def test_a_denial_is_in_the_log(world: PortalWorld) -> None:
    world.browser("ana").get("people")
    with reading(world.engine) as db:
        last = json.loads(db.scalars(select(AuditEntry.body).order_by(AuditEntry.seq.desc())).first() or "{}")
    assert last["act"] == "access:denied"
    assert last["actor"] == "ana"
    assert last["subject"] == "portal:people"


def test_what_people_write_is_shown_as_text(world: PortalWorld) -> None:
    world.grant(title='<img src=x onerror="alert(1)">', conditions="</pre><script>alert(2)</script>")
    text = world.browser("ana").get("access/agreements/AGR-0001").text
    assert "<img src=x" not in text
    assert "<script>" not in text
    assert "&lt;img src=x" in text
