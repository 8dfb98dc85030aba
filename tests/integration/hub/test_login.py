"""Login over the real provider: who comes in, who does not, and what the log says of it."""

import httpx
import pyotp
import pytest

from access_control.models import Person
from hub.tour.browser import Browser, LoginFailed, forms
from tests.running import Enclave


def test_a_person_logs_in_with_two_factors_and_the_log_says_so(enclave: Enclave) -> None:
    before = len(enclave.audit("login:succeeded"))
    browser = enclave.browser("cem", "/hub/home")
    assert browser.get("/hub/api/user").json()["name"] == "cem"
    entry = enclave.audit("login:succeeded")[before:][0]
    assert (entry["actor"], entry["subject"]) == ("cem", "person:cem")
    with enclave.reading() as db:
        assert db.get(Person, "cem").subject == "cem"
    browser.close()


@pytest.mark.parametrize("wrong", ["password", "otp"])
def test_one_factor_alone_does_not_let_anyone_in(enclave: Enclave, wrong: str) -> None:
    secret = enclave.secret("cem")
    answers = {"login": "cem", "password": secret.password, "otp": pyotp.TOTP(secret.otp_seed).now()}
    answers[wrong] = {"password": "not-the-password", "otp": "000000"}[wrong]
    browser = Browser(enclave.settings.web.origin)
    page = browser.get("/hub/home")
    for name in ("login", "password", "otp"):
        found = [form for form in forms(page) if name in form.names]
        if found:
            page = browser.send(found[0], {name: answers[name]})
    assert page.url.host.startswith("login.")
    assert page.url.path in (f"/auth/{wrong}", "/login", "/auth/password")
    assert browser.get("/hub/api/user").status_code == 403
    browser.close()


def refused_login(enclave: Enclave, person: str) -> bool:
    """Whether a login that the provider accepts ends at the hub's page of refusal."""
    browser = Browser(enclave.settings.web.origin)
    try:
        return browser.log_in(person, enclave.secret(person), "/hub/home").status_code == 403
    except LoginFailed as refused:
        return "403" in str(refused)
    finally:
        browser.close()


def test_a_suspended_person_is_refused_with_the_reason_and_what_is_open_ends(enclave: Enclave) -> None:
    browser = enclave.browser("bo", "/hub/home")
    try:
        with enclave.writing() as db:
            db.get(Person, "bo").suspended = True
        assert refused_login(enclave, "bo")
        assert enclave.audit("login:failed")[-1]["details"]["reason"].startswith("Your account is suspended")
    finally:
        with enclave.writing() as db:
            db.get(Person, "bo").suspended = False
        browser.close()


def test_another_identity_under_a_known_name_is_refused(enclave: Enclave) -> None:
    with enclave.writing() as db:
        person = db.get(Person, "dora")
        before, person.subject = person.subject, "somebody-else"
    try:
        assert refused_login(enclave, "dora")
        assert "another identity" in enclave.audit("login:failed")[-1]["details"]["reason"]
    finally:
        with enclave.writing() as db:
            db.get(Person, "dora").subject = before


def test_a_person_can_make_no_token_and_share_no_server(enclave: Enclave) -> None:
    browser = enclave.signed_in("ana")
    browser.get("/hub/home")
    xsrf = next(c.value for c in browser.client.cookies.jar if c.name == "_xsrf" and c.path == "/hub/")
    headers = {"X-XSRFToken": xsrf, "Referer": f"{enclave.settings.web.origin}/hub/home"}
    for path in ("/hub/api/users/ana/tokens", "/hub/api/shares/ana/smoking", "/hub/api/users/ana/shared"):
        answer = browser.client.post(enclave.settings.web.origin + path, json={}, headers=headers)
        assert answer.status_code in (403, 404, 405), f"{path}: {answer.status_code} {answer.text}"
    assert browser.get("/hub/api/users").status_code in (200, 403)
    listed = browser.get("/hub/api/users")
    assert listed.status_code == 403 or [one["name"] for one in listed.json()] == ["ana"]


def test_the_hub_is_not_reached_under_a_sessions_host(enclave: Enclave) -> None:
    host = f"s-{'0' * 32}.{enclave.settings.web.host}:{enclave.settings.web.port}"
    answer = httpx.get(
        f"http://127.0.0.1:{enclave.settings.web.port}/hub/login", headers={"Host": host}, follow_redirects=False
    )
    assert answer.status_code in (404, 503)
