"""The JSON API: the same rules as the pages, with a cookie or a token of the hub."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from portal_world import ORIGIN, Browser, PortalWorld

from access_control import clock

API = "/services/portal/api"


def call(browser: Browser, method: str, path: str, **options: Any) -> httpx.Response:
    headers = {"Origin": ORIGIN, "X-CSRF-Token": browser.client.get(f"{API}/me").json()["csrf"]}
    return browser.client.request(method, f"{API}/{path}", headers=headers, **options)


def test_without_a_login_there_is_no_answer(world: PortalWorld) -> None:
    answer = world.browser().client.get(f"{API}/me")
    assert answer.status_code == 401
    assert "Log in" in answer.json()["error"]


def test_who_is_asking(world: PortalWorld) -> None:
    answer = world.browser("ana").client.get(f"{API}/me").json()
    assert answer["id"] == "ana"
    assert answer["roles"] == [["researcher", "project:p17"]]


def test_a_change_needs_the_header_with_a_cookie(world: PortalWorld) -> None:
    browser = world.browser("ana")
    answer = browser.client.post(f"{API}/projects/p17/session", headers={"Origin": ORIGIN})
    assert answer.status_code == 409
    assert "X-CSRF-Token" in answer.json()["error"]
    assert call(browser, "POST", "projects/p17/session").status_code == 202


def test_a_token_of_the_hub_is_enough_without_a_cookie(world: PortalWorld) -> None:
    client = world.browser().client
    headers = {"Authorization": "Bearer token-of-ana"}
    assert client.get(f"{API}/me", headers=headers).json()["id"] == "ana"
    assert client.post(f"{API}/projects/p17/session", headers=headers).status_code == 202
    world.hub.revoked.add("token-of-ana")
    assert client.get(f"{API}/me", headers=headers).status_code == 401


def test_a_token_does_not_excuse_another_origin_when_a_cookie_comes_too(world: PortalWorld) -> None:
    client = world.browser("ana").client
    headers = {"Authorization": "Bearer x", "Origin": "http://evil.example"}
    assert client.post(f"{API}/projects/p17/session", headers=headers).status_code == 403


def test_a_project_tells_mounts_and_refusals(world: PortalWorld) -> None:
    world.grant()
    told = world.browser("ana").client.get(f"{API}/projects/p17").json()
    assert [mount["rendition"] for mount in told["mounts"]] == ["hiv/pseudonymised"]
    assert "source" not in told["mounts"][0]
    assert told["session"]["state"] == "ended"


@pytest.mark.parametrize(
    ("path", "status"),
    [("people", 403), ("running", 403), ("audit", 403), ("audit/verification", 403), ("datasets/hiv/accesses", 403),
     ("datasets/none/accesses", 404), ("projects/p18", 404), ("release-requests/REQ-9999", 404), ("nowhere", 404),
     ("why?person=eve&project=p17&data=hiv", 403)],
)  # fmt: skip
def test_what_a_researcher_may_not_know(world: PortalWorld, path: str, status: int) -> None:
    answer = world.browser("ana").client.get(f"{API}/{path}")
    assert answer.status_code == status
    assert answer.json()["error"]


def test_faulty_input_is_told_by_its_place(world: PortalWorld) -> None:
    answer = call(world.browser("ana"), "POST", "access-requests", json={"project": "p17"})
    assert answer.status_code == 422
    assert "rendition" in answer.json()["error"]


def test_access_and_agreements_over_the_api(world: PortalWorld) -> None:
    ana, sam = world.browser("ana"), world.browser("sam")
    body = {
        "project": "p17",
        "rendition": "hiv/open",
        "purpose": "HMB",
        "until": str(clock.today() + timedelta(days=90)),
    }
    assert call(ana, "POST", "access-requests", json=body).status_code == 201
    waiting = sam.client.get(f"{API}/access-requests/waiting").json()
    assert [row["rendition_id"] for row in waiting] == ["hiv/open"]
    refused = call(sam, "POST", f"access-requests/{waiting[0]['id']}/refuse", json={"fields": {"reason": "no"}})
    assert refused.status_code == 200
    assert ana.client.get(f"{API}/access-requests").json()[0]["state"] == "refused"


def test_every_operation_is_described(world: PortalWorld) -> None:
    described = world.browser().client.get(f"{API}/openapi.json").json()
    assert len(described["paths"]) > 30
    for path, operations in described["paths"].items():
        for operation in operations.values():
            assert operation.get("description"), path


@pytest.mark.parametrize(
    "path", [f"audit?before={2**63}", f"release-requests/REQ-0001/files/{2**31}/preview"]
)  # fmt: skip
def test_numbers_that_no_column_holds_are_refused(world: PortalWorld, path: str) -> None:
    assert world.browser("eve").client.get(f"{API}/{path}").status_code == 422


def test_text_that_no_database_keeps_is_refused(world: PortalWorld) -> None:
    browser = world.browser("ana")
    answer = call(browser, "POST", "imports", json={"project": "p17", "title": "a\0b", "purpose": "c"})
    assert answer.status_code == 422
    assert "NUL" in answer.json()["error"]
    for path in ("release-requests/REQ%00", "projects/p17/why?data=%00"):
        assert browser.client.get(f"{API}/{path}").status_code == 400
    assert browser.post("access/requests/1/take-back", reason="a\0b").status_code == 422


def test_forms_with_odd_numbers_are_refused(world: PortalWorld) -> None:
    eve = world.browser("eve")
    for level in ("9" * 30, "x", "1.5"):
        assert eve.post("people/rob/lower-clearance", level=level, reason="x").status_code == 422
    assert world.browser("ana").post("released/REL-0001/²").status_code == 404
