"""Agreements drafted and amended in the portal, by those whom the service allows."""

from datetime import timedelta
from typing import Any

import pytest
from portal_world import ORIGIN, PortalWorld

from access_control import clock
from access_control.agreements import signed_by
from access_control.models import Agreement

API = "/services/portal/api"


def fields(**changed: Any) -> dict[str, Any]:
    today = clock.today()
    whole = {
        "whole": "yes", "title": "HIV for Survival", "project": "p17", "parties": ["acme", "uni"],
        "renditions": ["hiv/pseudonymised"], "purposes": ["DUO:0000006"], "regions": "EU", "required_trainings": "",
        "reviewers": "2", "conditions": "Publish aggregates.", "start": today.isoformat(),
        "until": (today + timedelta(days=100)).isoformat(),
    }  # fmt: skip
    return whole | changed


def agreement(world: PortalWorld, id_: str = "AGR-0001") -> Agreement:
    with world.portal.reading() as db:
        row = db.get(Agreement, id_)
        assert row is not None
        db.expunge(row)
        return row


@pytest.mark.parametrize("person", ["sam", "lea", "eve"])
def test_a_steward_a_lead_and_an_admin_draft(world: PortalWorld, person: str) -> None:
    browser = world.browser(person)
    form = browser.get("access/agreements/new").text
    assert "hiv/pseudonymised" in form
    assert "health or medical or biomedical research" in form
    shown = browser.after(browser.post("access/agreements", **fields()))
    assert "AGR-0001 is drafted" in shown.text
    row = agreement(world)
    assert (row.state, row.parties, row.reviewers, row.conditions) == (
        "draft",
        ["acme", "uni"],
        2,
        "Publish aggregates.",
    )


def test_those_who_draft_nothing_are_told_who_does(world: PortalWorld) -> None:
    for person in ("ana", "olga"):
        browser = world.browser(person)
        assert browser.get("access/agreements/new").status_code == 403
        assert browser.post("access/agreements", **fields()).status_code == 403
        assert "Draft an agreement" not in browser.get("access").text
    assert world.browser("gil").post("access/agreements", **fields()).status_code == 403  # a steward of no party


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"parties": ["uni"]}, "acme owns data"), ({"renditions": []}, "at least one rendition"),
     ({"until": "2020-01-01"}, "AGR|before|end"), ({"reviewers": "7"}, "choose 1, 2 or 3"),
     ({"purposes": []}, "purpose"), ({"regions": ""}, "regions"), ({"title": ""}, "title")],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_kept(world: PortalWorld, changed: dict[str, Any], said: str) -> None:
    answer = world.browser("sam").post("access/agreements", **fields(**changed))
    assert answer.status_code == 422
    assert any(word in answer.text for word in said.split("|")), answer.text
    with world.portal.reading() as db:
        assert db.query(Agreement).count() == 0


def test_amending_shows_what_stands_and_voids_signatures(world: PortalWorld) -> None:
    sam = world.browser("sam")
    sam.post("access/agreements", **fields())
    page = sam.get("access/agreements/AGR-0001").text
    assert "Amend its text" in page
    digest = page.split('name="digest" value="')[1].split('"')[0]
    sam.post("access/agreements/AGR-0001/sign", party="acme", digest=digest)
    with world.portal.reading() as db:
        assert signed_by(db, agreement(world)) == {"acme": "sam"}
    form = world.browser("lea").get("access/agreements/AGR-0001/amend").text
    assert 'value="HIV for Survival"' in form
    assert '<option value="acme" selected>' in form
    lea = world.browser("lea")
    lea.get("access/agreements/AGR-0001/amend")
    assert lea.post("access/agreements/AGR-0001/amend", **fields(conditions="Cite it.")).status_code == 303
    row = agreement(world)
    assert row.conditions == "Cite it."
    with world.portal.reading() as db:
        assert signed_by(db, row) == {}


def test_what_is_active_is_not_amended(world: PortalWorld) -> None:
    id_ = world.grant()
    sam = world.browser("sam")
    assert "Amend its text" not in sam.get(f"access/agreements/{id_}").text
    assert sam.get(f"access/agreements/{id_}/amend").status_code == 422
    assert sam.post(f"access/agreements/{id_}/amend", **fields(title="Other")).status_code == 422
    assert agreement(world, id_).title == "HIV for Survival"


def test_a_draft_of_others_cannot_be_amended(world: PortalWorld) -> None:
    world.browser("sam").post("access/agreements", **fields())
    ana, gil, rob = world.browser("ana"), world.browser("gil"), world.browser("rob")
    assert ana.get("access/agreements/AGR-0001/amend").status_code == 403
    assert gil.get("access/agreements/AGR-0001/amend").status_code == 404
    for browser in (ana, gil, rob):
        assert browser.post("access/agreements/AGR-0001/amend", **fields(title="Mine")).status_code == 403
    assert agreement(world).title == "HIV for Survival"


def test_the_same_over_the_api(world: PortalWorld) -> None:
    browser = world.browser("sam")
    headers = {"Origin": ORIGIN, "X-CSRF-Token": browser.client.get(f"{API}/me").json()["csrf"]}
    body = fields(regions=["EU"], required_trainings=[], reviewers=2)
    made = browser.client.post(f"{API}/agreements", json=body, headers=headers)
    assert made.status_code == 201, made.text
    amended = browser.client.post(
        f"{API}/agreements/{made.json()['id']}/amend", json={"fields": {"conditions": "Cite it."}}, headers=headers
    )
    assert amended.status_code == 200, amended.text
    assert amended.json()["conditions"] == "Cite it."
    assert amended.json()["title"] == "HIV for Survival"
