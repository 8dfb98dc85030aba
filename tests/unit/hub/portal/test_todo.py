"""The first page tells what waits: a request to mend, a text to sign, a training that ends."""

from datetime import timedelta

from portal_world import PortalWorld
from sqlalchemy import delete

from access_control import agreements, clock, people
from access_control.database import writing
from access_control.models import Training
from hub.portal.rendering import ago, day, moment, number, plainly


def test_a_party_is_led_to_the_text_that_waits_for_its_signature(world: PortalWorld) -> None:
    today = clock.today()
    with writing(world.engine) as db:
        row = agreements.draft_agreement(
            db, title="HIV for Survival", project="p17", parties=["acme", "uni"], renditions=["hiv/pseudonymised"],
            purposes=["HMB"], regions=["EU"], start=today, until=today + timedelta(days=90), actor="sam",
        )  # fmt: skip
        name = row.id
    page = world.browser("sue").get("").text
    assert f"Read and sign {name}" in page
    assert f'href="/services/portal/access/agreements/{name}"' in page
    assert "Read and sign" not in world.browser("rob").get("").text


def test_a_training_that_ran_out_is_told_before_it_hurts(world: PortalWorld) -> None:
    today = clock.today()
    with writing(world.engine) as db:
        db.execute(delete(Training).where(Training.person_id == "ana"))
        people.record_training(
            db, "ana", course="safe-researcher", start=today - timedelta(days=300), until=today + timedelta(days=9),
            source="certificate", actor="eve",
        )  # fmt: skip
    assert f"Your training safe-researcher ends on {today + timedelta(days=9)}" in world.browser("ana").get("").text


def test_days_times_and_numbers_have_one_form() -> None:
    now = clock.now()
    assert f"{now:%Y-%m-%d %H:%M} UTC</time>" in str(moment(now))
    assert day(now.date()) == now.date().isoformat()
    assert "2 hours ago</time>" in str(ago(now - timedelta(hours=2)))
    assert (day(None), moment(None), number(20190)) == ("—", "—", "20,190")


def test_reasons_do_not_name_rows_that_nobody_wrote() -> None:
    told = plainly("STANDING-OPEN does not apply: project paused is suspended, not active")
    assert told == "Project paused is suspended, not active."
    assert plainly("AGR-0001.1 does not apply: it ended.") == "AGR-0001.1 does not apply: it ended."
