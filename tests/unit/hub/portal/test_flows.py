"""What people do in the portal, from form to form: access, people, policy, sessions, incidents."""

import re
from datetime import timedelta

from portal_world import PortalWorld
from sqlalchemy import select

from access_control import clock
from access_control.database import reading, writing
from access_control.models import Agreement, PolicyProposal, PolicyRow, SessionRecord
from hub.gateway.models import Incident

UNTIL = (clock.today() + timedelta(days=90)).isoformat()


def test_access_is_asked_for_granted_and_accepted(world: PortalWorld) -> None:
    ana, sam, lea = world.browser("ana"), world.browser("sam"), world.browser("lea")
    asked = ana.post("catalogue/hiv/ask", project="p17", rendition="hiv/pseudonymised", purpose="HMB", until=UNTIL)
    assert "hiv/pseudonymised" in ana.after(asked).text
    assert "Waiting for your answer" in sam.get("access").text
    assert "asks for it" in sam.get("access/requests/1").text
    granted = sam.post("access/requests/1/grant", until=UNTIL, regions="EU", reviewers="1")
    assert "Granted" in sam.after(granted).text
    accepted = lea.after(lea.post("access/requests/1/accept")).text
    assert "Accepted" in accepted
    assert "/data/hiv" in ana.get("projects/p17").text


def test_a_steward_of_another_owner_cannot_answer(world: PortalWorld) -> None:
    world.browser("ana").post("catalogue/hiv/ask", project="p17", rendition="hiv/open", purpose="HMB", until=UNTIL)
    gil = world.browser("gil")
    assert gil.get("access/requests/1").status_code == 404
    assert gil.post("access/requests/1/grant", until=UNTIL).status_code == 403


def test_an_agreement_is_signed_over_its_exact_text(world: PortalWorld) -> None:
    id_ = world.grant()
    text = world.browser("lea").get(f"access/agreements/{id_}").text
    assert re.search(r"SHA-256 [0-9a-f]{64}", text)
    assert world.browser("rob").get(f"access/agreements/{id_}").status_code == 404
    withdrawn = world.browser("sam").post(f"access/agreements/{id_}/withdraw", reason="they asked us to")
    assert withdrawn.status_code == 303
    with reading(world.engine) as db:
        assert db.scalars(select(Agreement.state)).all() == ["withdrawn"]


def test_a_clearance_needs_two_admins(world: PortalWorld) -> None:
    eve, adam = world.browser("eve"), world.browser("adam")
    today = clock.today().isoformat()
    fields = {"level": "3", "start": today, "until": UNTIL, "source": "letter 7"}
    assert eve.post("people/rob/propose-clearance", **fields).status_code == 303
    assert eve.post("people/proposals/1/approve").status_code == 403
    assert "in force" in adam.after(adam.post("people/proposals/1/approve")).text
    assert "tier 3" in adam.get("people/rob").text


def test_nobody_but_an_admin_changes_people(world: PortalWorld) -> None:
    for person in ("ana", "sam", "olga"):
        answer = world.browser(person).post("people/ana/lower-clearance", level="0", reason="because")
        assert answer.status_code == 403, person


def test_a_change_of_policy_is_previewed_and_needs_a_second_admin(world: PortalWorld) -> None:
    world.grant()
    eve, adam = world.browser("eve"), world.browser("adam")
    changes = (
        "change,id,eft,role,project,data,act,purpose,region,start,until,training\n"
        f"add,BAN-1,deny,researcher,project:p17,data:hiv,mount,any,any,{clock.today()},9999-12-31,any\n"
    )
    shown = eve.post("policy/preview", changes=changes)
    assert shown.status_code == 200, shown.text
    assert "Who loses" in shown.text
    assert "ana" in shown.text
    with reading(world.engine) as db:
        assert db.get(PolicyRow, "BAN-1") is None
        assert db.scalars(select(PolicyProposal)).all() == []
    proposed = eve.post("policy/propose", changes=changes, reason="an inquiry")
    assert proposed.status_code == 303
    page = proposed.headers["location"].removeprefix("/services/portal/")
    assert "another admin has to approve" in eve.get(page).text
    assert eve.post(f"{page}/approve").status_code == 403
    assert "What it would do" in adam.get(page).text
    assert "in force" in adam.after(adam.post(f"{page}/approve")).text
    assert "/data/hiv" not in world.browser("ana").get("projects/p17").text


def test_a_faulty_change_is_refused_with_its_line(world: PortalWorld) -> None:
    answer = world.browser("eve").post("policy/preview", changes="change,id,eft\nadd,X-1,Deny\n")
    assert answer.status_code == 422
    assert "line" in answer.text


def test_a_session_is_started_watched_and_stopped(world: PortalWorld) -> None:
    ana = world.browser("ana")
    started = ana.post("projects/p17/start")
    assert started.headers["location"].endswith("/sessions/p17")
    assert "Your session is starting" in ana.after(started).text
    assert ana.get("sessions/p17/watch?state=starting").status_code == 204
    record = world.running("ana")
    assert ana.get("sessions/p17/watch?state=starting").headers["hx-refresh"] == "true"
    assert ana.get(f"sessions/p17/watch?state=running&session={record.id}").status_code == 204
    with writing(world.engine) as db:
        row = db.get(SessionRecord, record.id)
        assert row is not None
        row.state, row.reason = "ended", "Your clearance was lowered."
    over = ana.get(f"sessions/p17/watch?state=running&session={record.id}")
    assert "Your clearance was lowered." in over.text
    assert ana.post("projects/p17/stop").status_code == 303
    assert world.hub.servers["ana"] == {}


def test_nobody_starts_a_session_in_a_project_of_others(world: PortalWorld) -> None:
    assert world.browser("rob").post("projects/p17/start").status_code == 403
    assert world.browser("ana").post("projects/p18/start").status_code == 403
    assert world.hub.servers.get("rob", {}) == {}


def test_an_incident_is_for_the_stewards_of_the_data_that_was_mounted(world: PortalWorld) -> None:
    world.grant()
    record = world.running("ana")
    with writing(world.engine) as db:
        db.add(
            Incident(
                session_id=record.id,
                person_id="ana",
                project_id="p17",
                tier=2,
                level="paused",
                reason="Too much.",
                bytes=5_000_000,
                flow=[{"what": "output", "count": 3, "bytes": 4_000_000, "largest": 2_000_000}],
                started_at=clock.now(),
                last_at=clock.now(),
            )
        )
    assert "Too much." in world.browser("sam").get("incidents").text
    gil = world.browser("gil")
    assert "Too much." not in gil.get("incidents").text
    assert gil.post("incidents/1/continue", reason="fine").status_code == 404
    assert world.browser("ana").get("incidents").status_code == 403


def test_a_withdrawal_takes_the_data_away_by_one_steward(world: PortalWorld) -> None:
    world.grant()
    sam = world.browser("sam")
    assert world.browser("gil").post("data/hiv/withdraw", reason="x").status_code == 403
    assert "Withdrawn by" in sam.after(sam.post("data/hiv/withdraw", reason="a court order")).text
    assert "/data/hiv" not in world.browser("ana").get("projects/p17").text
