"""The tour is a test too: the whole main job, over the real interfaces, in an enclave of its own."""

from pathlib import Path

import pytest
from rich.console import Console

from hub.tour.run import PEOPLE, run_tour
from tests.running import Enclave


@pytest.fixture
def own(tmp_path: Path):
    made = Enclave.start(tmp_path)
    yield made
    made.close()


@pytest.mark.timeout(600)
def test_every_step_of_the_tour_holds_and_holds_again(own: Enclave) -> None:
    secrets = {name: own.secret(name) for name in PEOPLE}
    with Console(record=True, width=160, quiet=False) as console:
        assert run_tour(own.engine, own.settings, secrets, console), console.export_text()
        assert run_tour(own.engine, own.settings, secrets, console), console.export_text()
    acts = {entry["act"] for entry in own.audit()}
    assert {"login:succeeded", "session:started", "session:cut", "request:submitted", "request:voted",
            "release:signed", "release:downloaded", "clearance:set"} <= acts  # fmt: skip
    assert own.session("ana", "smoking") is None
