"""What stewards and admins do over the API, and that nobody else does."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from portal_world import ORIGIN, Browser, PortalWorld
from sqlalchemy import update

from access_control import clock
from egress_review.models import ReleaseRequest

API = "/services/portal/api"
WORDS = {
    "project": "p17", "author": "ana", "title": "Table 3", "purpose": "for a talk", "context": "patients by sex",
    "why_unsafe": "a cell of one person",
}  # fmt: skip
TABLE = "sex,n\nf,1200\nm,1350\n"


def call(browser: Browser, method: str, path: str, **options: Any) -> httpx.Response:
    headers = {"Origin": ORIGIN, "X-CSRF-Token": browser.client.get(f"{API}/me").json()["csrf"]}
    return browser.client.request(method, f"{API}/{path}", headers=headers, **options)


def submitted(world: PortalWorld) -> tuple[Browser, str]:
    world.grant()
    world.running("ana")
    (world.workspace("ana") / "t.csv").write_text(TABLE)
    ana = world.browser("ana")
    body = {"project": "p17", "title": "T", "purpose": "P", "files": [{"name": "t.csv", "context": "all people"}]}
    made = call(ana, "POST", "release-requests", json=body).json()["request"]["id"]
    assert (
        call(ana, "PUT", f"release-requests/{made}/files", json={"name": "t.csv", "context": "all"}).status_code == 200
    )
    answer = call(ana, "POST", f"release-requests/{made}/submit")
    assert answer.status_code == 200, answer.text
    return ana, made


def test_a_request_is_frozen_thawed_and_revoked(world: PortalWorld) -> None:
    ana, made = submitted(world)
    sam, sue, reason = world.browser("sam"), world.browser("sue"), {"json": {"reason": "stop"}}
    hold = f"release-requests/{made}/hold"
    assert call(ana, "POST", f"{hold}/freeze", **reason).status_code == 403
    assert call(sam, "POST", f"{hold}/freeze", **reason).status_code == 200
    assert call(sam, "POST", f"{hold}/thaw", **reason).status_code == 403
    assert call(sue, "POST", f"{hold}/thaw", **reason).status_code == 200
    view = call(sam, "GET", f"release-requests/{made}").json()
    assert view["files"][0]["file"]["context"] == "all"
    for reviewer in (sam, sue):
        vote = {"json": {"verdict": "approve", "reason": "looked at it"}}
        path = f"release-requests/{made}/files/{view['files'][0]['file']['id']}/votes"
        assert call(reviewer, "POST", path, **vote).status_code in {201, 409}, "one may be enough"
    released = call(ana, "GET", f"release-requests/{made}").json()["release_id"]
    assert call(ana, "POST", f"releases/{released}/revoke", **reason).status_code == 403
    assert call(sam, "POST", f"releases/{released}/revoke", **reason).status_code == 200
    assert call(ana, "POST", f"releases/{released}/links").status_code in {403, 409}


def test_a_lead_steward_seeds_and_sees_figures(world: PortalWorld) -> None:
    world.grant()
    file = {"file": ("t.csv", b"sex,n\nf,1\nm,135\n", "text/csv")}
    for person, status in (("ana", 403), ("sam", 403), ("eve", 403), ("sue", 201)):
        answer = call(world.browser(person), "POST", "calibration/upload", data=WORDS, files=file)
        assert answer.status_code == status, (person, answer.text)
        figures = call(world.browser(person), "GET", "calibration")
        assert figures.status_code == (200 if person == "sue" else 403)
    assert figures.json()["reviewers"] == []


@pytest.mark.parametrize(("person", "told"), [("sam", True), ("ana", False), ("gil", False)])
def test_what_waits_too_long_is_told_to_whom_it_concerns(world: PortalWorld, person: str, told: bool) -> None:
    _, made = submitted(world)
    long_ago = clock.now() - timedelta(hours=60)
    with world.portal.writing() as db:
        db.execute(update(ReleaseRequest).values(queued_at=long_ago))
    (due,) = call(world.browser(person), "GET", "reminders").json() or [None]
    assert (due is not None) is told
    page = world.browser(person).get("").text
    assert (f"{made} of project p17 waits for you for 2 days" in page) is told
    if due:
        assert due["page"] == f"reviews/{made}"


def test_the_store_is_checked_and_the_key_is_public(world: PortalWorld) -> None:
    submitted(world)
    assert call(world.browser("ana"), "GET", "store/check").status_code == 403
    assert call(world.browser("olga"), "GET", "store/check").json() == []
    blob = next((world.settings.store / "blobs").glob("*/*"))
    blob.chmod(0o600)
    blob.write_bytes(b"x")
    (damage,) = call(world.browser("eve"), "GET", "store/check").json()
    assert damage["sha256"] == blob.name
    key = call(world.browser("ana"), "GET", "releases/key").json()
    assert key["pem"].startswith("-----BEGIN PUBLIC KEY-----")
