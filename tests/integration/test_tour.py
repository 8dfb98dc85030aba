"""The tour is a test too: the whole main job, over the real interfaces, in an enclave of its own, on either database."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from rich.console import Console

from hub.tour.run import PEOPLE, run_tour
from tests.postgresql import BINARIES, MISSING, database, postgresql
from tests.running import Enclave

ON_POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.skipif(not BINARIES, reason=MISSING))


@pytest.fixture(params=["sqlite", ON_POSTGRESQL])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Enclave]:
    with ExitStack() as stack:
        url = ""
        if request.param == "postgresql":
            url = stack.enter_context(database(stack.enter_context(postgresql())))
        made = Enclave.start(tmp_path, database_url=url)
        stack.callback(made.close)
        assert made.engine.dialect.name == request.param
        yield made


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
