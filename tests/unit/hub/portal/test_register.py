"""The public register: off unless it is opened, and without a person in it."""

from datetime import timedelta

import pytest
from portal_world import HOMES, PortalWorld

from access_control import clock
from access_control.database import writing
from access_control.models import Project
from egress_review.models import Release, ReleaseRequest, SeededRequest
from hub.portal.register import count_said


def open_register(world: PortalWorld) -> None:
    web = world.settings.web.model_copy(update={"public_register": True})
    world.portal.settings = world.settings.model_copy(update={"web": web})


def add_releases(world: PortalWorld, count: int, *, revoked: int = 0, seeded: int = 0, inwards: int = 0) -> None:
    """Releases of p17; some are revoked, seeded or imports, which the register does not count."""
    now = clock.now()
    with writing(world.engine) as db:
        for number in range(count + revoked + seeded + inwards):
            kind = "out" if number < count + revoked + seeded else "in"
            id_ = f"REQ-{number:04}"
            db.add(
                ReleaseRequest(
                    id=id_, project_id="p17", author_id="ana", direction=kind, title="Secret title", purpose="x",
                    state="released", created_at=now,
                )
            )  # fmt: skip
            db.flush()
            gone = now if count <= number < count + revoked else None
            db.add(
                Release(
                    id=f"REL-{number:04}", request_id=id_, turn=1, at=now, expires_at=now + timedelta(days=1),
                    revoked_at=gone,
                )
            )  # fmt: skip
            if count + revoked <= number < count + revoked + seeded:
                db.add(SeededRequest(request_id=id_, seeded_by="sue", why_unsafe="x", at=now))


@pytest.mark.parametrize("path", ["register", "register.json"])
def test_it_is_not_there_unless_it_is_opened(world: PortalWorld, path: str) -> None:
    for visitor in (None, "ana", "eve"):
        assert world.browser(visitor).get(path).status_code == 404


def test_anybody_reads_projects_with_purposes_dates_homes_and_data(world: PortalWorld) -> None:
    world.grant()
    open_register(world)
    answer = world.browser().get("register.json")
    assert answer.status_code == 200
    survival = next(each for each in answer.json()["projects"] if each["title"] == "Survival")
    today = clock.today()
    assert survival == {
        "title": "Survival",
        "state": "active",
        "start": today.isoformat(),
        "until": (today + timedelta(days=300)).isoformat(),
        "purposes": survival["purposes"],
        "organisations": ["Uni"],
        "datasets": [{"title": "HIV", "owner": "Acme"}],
        "releases": "fewer than 10",
    }
    assert "health or medical or biomedical research" in " ".join(survival["purposes"])
    page = world.browser().get("register")
    assert page.status_code == 200
    assert "fewer than 10" in page.text
    assert "HIV (Acme)" in page.text


def test_nobody_is_named_and_no_request_is_told_of(world: PortalWorld) -> None:
    world.grant()
    world.running("ana")
    add_releases(world, 3)
    open_register(world)
    for path in ("register", "register.json"):
        text = world.browser().get(path).text
        for person in HOMES:
            assert f">{person.title()}" not in text
            assert f'"{person}"' not in text
        assert "Secret title" not in text
        assert "pseudonymised" not in text
        assert "IRB-7" not in text


def test_small_counts_are_not_told(world: PortalWorld) -> None:
    assert [count_said(number) for number in (0, 1, 9)] == ["fewer than 10"] * 3
    add_releases(world, 10, revoked=1, seeded=1, inwards=1)
    open_register(world)
    told = {each["title"]: each["releases"] for each in world.browser().get("register.json").json()["projects"]}
    assert told == {"Survival": "10", "Pay gaps": "fewer than 10"}


def test_a_proposed_project_is_not_in_it(world: PortalWorld) -> None:
    with writing(world.engine) as db:
        for project, state in (("p17", "proposed"), ("p18", "closed")):
            row = db.get(Project, project)
            assert row is not None
            row.state = state
    open_register(world)
    told = world.browser().get("register.json").json()["projects"]
    assert [(each["title"], each["state"]) for each in told] == [("Pay gaps", "closed")]
