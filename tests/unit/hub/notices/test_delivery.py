"""Notices through a real mail server: each arrives once, whatever goes wrong, and says nothing that must stay."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from egress_world import World
from post_office import PostOffice
from sqlalchemy import select, update

from access_control import people
from access_control.database import open_database
from access_control.errors import Invalid, NotFound
from access_control.models import Person
from access_control.settings import Settings
from hub.notices import delivery
from hub.notices.models import Notice, Stage

SECRET = "smoking by ward"
FILE = "hiv-by-ward.csv"


def using(world: World, office: PostOffice, **changed: object) -> Settings:
    return world.settings.model_copy(update={"mail": office.settings(**changed)})


def overdue(world: World, hours: int = 50) -> str:
    request_id = world.submitted({FILE: f"k,n\r\n{SECRET},60\r\n"})
    world.wait(hours=hours)
    return request_id


def stages(world: World) -> list[str]:
    return sorted(world.ask(lambda db: list(db.scalars(select(Notice.stage)))))


def entries(world: World, act: str) -> list[dict]:
    return [entry for entry in map(json.loads, world.log()) if entry["act"] == act]


def test_each_person_is_told_once(world: World, office: PostOffice) -> None:
    request_id, settings = overdue(world), using(world, office)
    assert delivery.deliver(world.engine, settings) == []
    assert delivery.deliver(world.engine, settings) == []
    world.wait(hours=2)
    assert delivery.deliver(world.engine, settings) == []
    assert sorted(office.to) == [f"{name}@acme.example" for name in ("lou", "sam", "sid", "sue")]
    assert all(office.encrypted)
    assert len({message["Message-ID"] for message in office.got}) == 4
    sent = entries(world, "notice:sent")
    assert sorted(entry["subject"] for entry in sent) == [f"person:{name}" for name in ("lou", "sam", "sid", "sue")]
    assert {entry["details"]["about"].split(":")[1] for entry in sent} == {request_id}
    assert stages(world) == [Stage.Sent] * 4


def test_a_message_names_request_project_age_and_page_and_nothing_else(world: World, office: PostOffice) -> None:
    request_id = overdue(world)
    delivery.deliver(world.engine, using(world, office))
    message = office.got[0]
    text = message.get_content()
    assert f"{request_id} of project p17 waits for you for 2 days." in text
    assert f"{world.settings.web.origin}/services/portal/reviews/{request_id}" in text
    assert message["Subject"] == f"{request_id} waits"
    assert message["Auto-Submitted"] == "auto-generated"
    whole = message.as_string()
    for word in (SECRET, FILE, "ward", "Table 1", "Paper", "Counts", "ana", "hiv"):
        assert word not in whole, word


def test_leads_are_told_later_and_the_author_of_changes(world: World, office: PostOffice) -> None:
    request_id, settings = overdue(world), using(world, office)
    delivery.deliver(world.engine, settings)
    office.to.clear()
    world.wait(hours=100)
    delivery.deliver(world.engine, settings)
    assert office.to == ["lou@acme.example"]
    assert "those who should act have not" in office.got[-1].get_content()
    for person in ("sam", "sue"):
        world.vote(request_id, person, "changes")
    world.wait(hours=50)
    delivery.deliver(world.engine, settings)
    assert office.to == ["lou@acme.example", "ana@uni.example"]


@pytest.mark.parametrize("answer", ["451 later", "554 never"])
def test_what_is_refused_is_told_to_admins_and_tried_again(world: World, office: PostOffice, answer: str) -> None:
    overdue(world)
    settings, office.answer = using(world, office), answer
    problems = delivery.deliver(world.engine, settings)
    assert len(problems) == 4
    assert answer[:3] in problems[0]
    assert delivery.deliver(world.engine, settings) == [], "not at once again"
    for _ in range(3):
        world.wait(hours=7)
        assert len(delivery.deliver(world.engine, settings)) == 4
    assert [row.tries for row in world.ask(delivery.troubles)] == [4] * 4
    assert len(entries(world, "notice:failed")) == 4, "told once, not at each try"
    office.answer = "250 OK"
    world.wait(hours=7)
    assert delivery.deliver(world.engine, settings) == []
    assert len(office.got) == 4
    assert world.ask(delivery.troubles) == []


def test_one_bad_address_does_not_keep_the_others(world: World, office: PostOffice) -> None:
    overdue(world)
    settings, office.refused = using(world, office), {"sam@acme.example"}
    (problem,) = delivery.deliver(world.engine, settings)
    assert "to sam: The mail server does not take the address (550)" in problem
    assert len(office.got) == 3
    assert stages(world) == [Stage.Sent] * 3 + [Stage.Waiting]


@pytest.mark.parametrize("address", ["", "nobody", "sam@x\nBcc: spy@evil.example", "a@b>\r\nRCPT TO:<spy@evil.example"])
def test_an_address_is_never_more_than_one(world: World, office: PostOffice, address: str) -> None:
    overdue(world)
    world.do(lambda db: db.execute(update(Person).where(Person.id == "sam").values(email=address)))
    (problem,) = delivery.deliver(world.engine, using(world, office))
    assert "sam has no address" in problem
    assert sorted(office.to) == [f"{name}@acme.example" for name in ("lou", "sid", "sue")]


def test_an_answer_that_never_came_is_left_to_an_admin(world: World, office: PostOffice) -> None:
    overdue(world)
    settings, office.drop = using(world, office), True
    problems = delivery.deliver(world.engine, settings)
    assert any("may have arrived" in problem for problem in problems)
    office.drop = False
    for _ in range(4):
        world.wait(hours=7)
        delivery.deliver(world.engine, settings)
    received = [message["Message-ID"] for message in office.got]
    assert len(received) == len(set(received)) == 4
    unknown = [row for row in world.ask(delivery.troubles) if row.stage == Stage.Unknown]
    assert unknown
    world.do(delivery.again, unknown[0].id, actor="eve")
    assert delivery.deliver(world.engine, settings) == []
    assert len(office.got) == 5, "once more, because an admin said so"
    with pytest.raises(Invalid, match="is sent"):
        world.do(delivery.again, unknown[0].id, actor="eve")
    with pytest.raises(NotFound):
        world.do(delivery.again, 999, actor="eve")


def test_no_server_no_loss(world: World, office: PostOffice) -> None:
    overdue(world)
    settings = using(world, office)
    office.stop()
    (problem,) = delivery.deliver(world.engine, settings)
    assert re.search(r"cannot be used: .*4 notices wait", problem)
    assert len(entries(world, "notice:failed")) == 4
    assert stages(world) == [Stage.Waiting] * 4
    with PostOffice(office.folder, port=0) as other:
        world.wait(hours=1)
        assert delivery.deliver(world.engine, using(world, other)) == []
        assert len(other.got) == 4


def test_a_server_without_tls_gets_nothing(world: World, tmp_path: Path) -> None:
    overdue(world)
    with PostOffice(tmp_path / "plain", offer_starttls=False) as office:
        (problem,) = delivery.deliver(world.engine, using(world, office))
        assert "STARTTLS" in problem
        assert office.got == []


def test_a_certificate_that_nobody_vouches_for_gets_nothing(world: World, office: PostOffice, tmp_path: Path) -> None:
    overdue(world)
    with PostOffice(tmp_path / "other") as other:
        problems = delivery.deliver(world.engine, using(world, office, ca_file=str(other.public)))
    assert "certificate verify failed" in problems[0]
    assert office.got == []


def test_a_login_that_is_not_taken(world: World, office: PostOffice) -> None:
    overdue(world)
    settings = using(world, office)
    (office.folder / "password").write_text("another\n")
    assert "does not take the login" in delivery.deliver(world.engine, settings)[0]
    (office.folder / "password").chmod(0o644)
    world.wait(hours=1)
    assert "can be read by others" in delivery.deliver(world.engine, settings)[0]
    (office.folder / "password").unlink()
    world.wait(hours=1)
    assert "cannot be read" in delivery.deliver(world.engine, settings)[0]
    assert office.got == []


def test_tls_from_the_first_byte(world: World, tmp_path: Path) -> None:
    overdue(world)
    with PostOffice(tmp_path / "tls", security="tls") as office:
        assert delivery.deliver(world.engine, using(world, office)) == []
        assert len(office.got) == 4
        assert all(office.encrypted)


def test_what_is_settled_meanwhile_is_not_told(world: World, office: PostOffice) -> None:
    request_id, settings = overdue(world), using(world, office)
    office.answer = "451 later"
    delivery.deliver(world.engine, settings)
    office.answer = "250 OK"
    for person in ("sam", "sue"):
        world.vote(request_id, person)
    world.wait(hours=1)
    assert delivery.deliver(world.engine, settings) == []
    assert office.got == []
    assert stages(world) == [Stage.Over] * 4


def test_suspended_people_are_told_nothing(world: World, office: PostOffice) -> None:
    overdue(world)
    world.do(people.suspend_person, "sam", reason="left", actor="eve")
    delivery.deliver(world.engine, using(world, office))
    assert "sam@acme.example" not in office.to


def test_two_programs_at_once_send_each_notice_once(world: World, office: PostOffice) -> None:
    overdue(world)
    settings = using(world, office)

    def send(_: int) -> list[str]:
        engine = open_database(settings.database)
        try:
            return delivery.deliver(engine, settings)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        problems = [problem for found in pool.map(send, range(4)) for problem in found]
    assert len(office.got) == len(set(office.to)) == 4, problems


@pytest.mark.parametrize(("stage", "after"), [(Stage.Trying, Stage.Sent), (Stage.Handing, Stage.Unknown)])
def test_what_a_program_that_died_has_left(world: World, office: PostOffice, stage: Stage, after: Stage) -> None:
    overdue(world)
    settings = using(world, office)
    office.answer = "451 later"
    delivery.deliver(world.engine, settings)
    office.answer = "250 OK"
    world.do(lambda db: db.execute(update(Notice).values(stage=stage.value, tried_at=world.at)))
    delivery.deliver(world.engine, settings)
    assert stages(world) == [stage] * 4, "another program may be at it"
    world.wait(minutes=30)
    delivery.deliver(world.engine, settings)
    assert stages(world) == [after] * 4
    assert len(office.got) == (4 if after is Stage.Sent else 0)


def test_without_a_mail_server_nothing_is_written(world: World) -> None:
    overdue(world)
    assert delivery.deliver(world.engine, world.settings) == []
    assert stages(world) == []


def test_a_notice_waits_longer_each_time_and_never_for_ever(world: World, office: PostOffice) -> None:
    overdue(world)
    settings, office.answer = using(world, office), "451 later"
    waits = []
    for _ in range(12):
        delivery.deliver(world.engine, settings)
        row = world.ask(lambda db: db.scalars(select(Notice).order_by(Notice.id)).first())
        waits.append(row.next_at - world.at)
        world.at = row.next_at
    assert waits == sorted(waits)
    assert waits[0] == timedelta(minutes=5)
    assert waits[-1] == timedelta(hours=6)
