"""Upkeep: a rendition keyed by project is written when an agreement opens it, with nobody calling for it."""

from datetime import timedelta
from pathlib import Path

import pytest

from access_control import agreements, clock
from access_control.changes import SETUP
from access_control.database import reading, writing
from access_control.renditions import current_version
from hub.upkeep import missing_renditions, upkeep
from tests.running import Enclave


@pytest.fixture
def prepared(tmp_path: Path):
    made = Enclave.prepare(tmp_path)
    yield made
    made.close()


def test_what_an_agreement_opens_is_written_once(prepared: Enclave) -> None:
    parties = ["health-institute", "north-university"]
    with writing(prepared.engine) as db:
        drafted = agreements.draft_agreement(
            db, title="More of smoking", project="empty", parties=parties, renditions=["nhefs/pseudonymised"],
            purposes=["GRU"], regions=["EU"], start=clock.today(), until=clock.today() + timedelta(days=30), actor=SETUP,
        )  # fmt: skip
        for party in parties:
            agreements.sign_agreement(db, drafted.id, party=party, actor=SETUP, reason="signed on paper")
    with reading(prepared.engine) as db:
        assert missing_renditions(db) == [("nhefs/pseudonymised", "empty")]
    assert upkeep(prepared.engine, prepared.settings) == []
    with reading(prepared.engine) as db:
        assert missing_renditions(db) == []
        written = current_version(db, "nhefs/pseudonymised", "empty")
        others = current_version(db, "nhefs/pseudonymised", "smoking")
        assert written is not None
        assert others is not None
        assert (prepared.settings.data_root / written.path / "data.parquet").is_file()
        assert written.files["data.parquet"] != others.files["data.parquet"]
    assert upkeep(prepared.engine, prepared.settings) == []
