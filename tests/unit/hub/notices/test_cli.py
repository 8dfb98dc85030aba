import pytest
from egress_world import World
from post_office import PostOffice
from sqlalchemy import select, update
from typer.testing import CliRunner

from hub.notices.cli import notices
from hub.notices.models import Notice, Stage


def test_a_notice_is_listed_and_sent_again(world: World, office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    world.submitted()
    world.wait(hours=50)
    settings = world.settings.model_copy(update={"mail": office.settings()})
    monkeypatch.setattr("hub.notices.cli.load_settings", lambda: settings)
    monkeypatch.setenv("COLUMNS", "200")
    run = CliRunner().invoke
    assert run(notices, ["send"]).exit_code == 0
    assert len(office.got) == 4
    assert "sam" not in run(notices, ["list"]).stdout
    assert "sam" in run(notices, ["list", "--all"]).stdout
    world.do(lambda db: db.execute(update(Notice).where(Notice.person_id == "sam").values(stage=Stage.Unknown.value)))
    number = world.ask(lambda db: db.scalar(select(Notice.id).where(Notice.person_id == "sam")))
    assert run(notices, ["again", str(number), "--as", "eve"]).exit_code == 0
    office.answer = "451 later"
    failed = run(notices, ["send"])
    assert failed.exit_code == 1
    assert "to sam" in failed.stderr
