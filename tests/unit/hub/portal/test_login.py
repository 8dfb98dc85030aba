"""Login through the hub: the state, the code, the cookie, and how it ends."""

from urllib.parse import parse_qs, urlsplit

import pytest
from portal_world import ORIGIN, PortalWorld

from access_control import people
from access_control.database import writing
from hub.portal.login import safe_next

PORTAL = "/services/portal/"


def test_a_stranger_is_sent_to_the_hub(world: PortalWorld) -> None:
    answer = world.browser().get("projects")
    assert answer.status_code == 303
    target = urlsplit(answer.headers["location"])
    assert target.path == "/hub/api/oauth2/authorize"
    assert not target.netloc
    assert parse_qs(target.query)["redirect_uri"] == [f"{PORTAL}oauth_callback"]


def test_the_cookie_is_out_of_reach_of_script_and_of_other_paths(world: PortalWorld) -> None:
    browser = world.browser("ana")
    cookie = next(each for each in browser.client.cookies.jar if each.name == "portal-login")
    assert cookie.path == PORTAL
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "lax"
    assert "token-of" not in (cookie.value or "")


def test_the_browser_goes_back_to_where_it_wanted(world: PortalWorld) -> None:
    browser = world.browser()
    off = browser.get("catalogue/hiv")
    state = parse_qs(urlsplit(off.headers["location"]).query)["state"][0]
    back = browser.client.get(f"{PORTAL}oauth_callback", params={"code": "code-of-ana", "state": state})
    assert back.headers["location"] == f"{PORTAL}catalogue/hiv"


@pytest.mark.parametrize("state", ["", "guessed"])
def test_a_wrong_state_logs_nobody_in(world: PortalWorld, state: str) -> None:
    browser = world.browser()
    browser.get("")
    back = browser.client.get(f"{PORTAL}oauth_callback", params={"code": "code-of-ana", "state": state})
    assert back.status_code == 303
    assert browser.get("").status_code == 303
    assert ("POST", "/oauth2/token") not in world.hub.asked


def test_a_code_of_someone_elses_login_is_refused(world: PortalWorld) -> None:
    browser = world.browser()
    answer = browser.client.get(f"{PORTAL}oauth_callback", params={"code": "code-of-eve", "state": "theirs"})
    assert answer.status_code == 303
    assert "portal-login" not in browser.client.cookies


def test_a_bad_code_is_refused(world: PortalWorld) -> None:
    browser = world.browser()
    state = parse_qs(urlsplit(browser.get("").headers["location"]).query)["state"][0]
    answer = browser.client.get(f"{PORTAL}oauth_callback", params={"code": "stolen", "state": state})
    assert answer.status_code == 403


def test_a_logout_at_the_hub_ends_the_portals_login(world: PortalWorld) -> None:
    browser = world.browser("ana")
    assert browser.get("").status_code == 200
    world.hub.revoked.add("token-of-ana")
    assert browser.get("").status_code == 303


def test_a_hub_that_does_not_answer_opens_nothing(world: PortalWorld) -> None:
    browser = world.browser("ana")
    world.hub.down = True
    answer = browser.get("")
    assert answer.status_code == 409
    assert "hub does not answer" in answer.text


def test_a_suspended_person_sees_why_and_nothing_else(world: PortalWorld) -> None:
    browser = world.browser("ana")
    with writing(world.engine) as db:
        people.suspend_person(db, "ana", reason="under inquiry", actor="eve")
    answer = browser.get("projects")
    assert answer.status_code == 403
    assert "suspended" in answer.text


def test_logging_out_ends_the_cookie_on_the_server(world: PortalWorld) -> None:
    browser = world.browser("ana")
    kept = browser.client.cookies["portal-login"]
    assert browser.post("logout").headers["location"] == "/hub/logout"
    browser.client.cookies.clear()
    browser.client.cookies.set("portal-login", kept)
    assert browser.get("").status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "x.y", "." * 5])
def test_a_made_up_cookie_opens_nothing(world: PortalWorld, cookie: str) -> None:
    browser = world.browser()
    browser.client.cookies.set("portal-login", cookie)
    assert browser.get("").status_code == 303


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example/", "/hub/logout", "\\\\evil", "/services/portal/\r\nX: y",
     "javascript:alert(1)", "/services/portal/\\..\\", "/services/portalx"],
)  # fmt: skip
def test_after_a_login_nobody_is_sent_elsewhere(world: PortalWorld, wanted: str) -> None:
    assert safe_next(world.portal, wanted) == PORTAL


def test_with_tls_no_sibling_host_can_plant_the_cookie(world: PortalWorld) -> None:
    web = world.settings.web.model_copy(update={"scheme": "https"})
    world.portal.settings = world.settings.model_copy(update={"web": web})
    assert world.portal.cookie_name.startswith("__Host-")
    assert ORIGIN.startswith("http://")
