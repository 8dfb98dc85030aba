"""Trouble: Docker gone, files altered, the hub killed in the middle. Each leaves a sentence, and nothing open or lost."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from access_control.errors import Refused
from access_control.models import RenditionVersion, SessionRecord
from access_control.settings import load_settings
from hub.engine_room import EngineRoom
from hub.session_start import live_sessions
from tests.running import Enclave, wait_for


class Relay:
    """A socket that passes everything on to Docker Engine, until it is told to be silent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.open = True
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if not self.open:
                client.close()
                continue
            engine = socket.socket(socket.AF_UNIX)
            engine.connect("/var/run/docker.sock")
            for one, other in ((client, engine), (engine, client)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while self.open and (chunk := source.recv(65536)):
                if not self.open:
                    break
                target.sendall(chunk)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._server.close()


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    made = Relay(tmp_path_factory.mktemp("relay") / "docker.sock")
    yield made
    made.close()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, relay: Relay) -> Iterator[Enclave]:
    enclave = Enclave.prepare(tmp_path_factory.mktemp("own"))
    enclave.environment["DOCKER_HOST"] = f"unix://{relay.path}"
    enclave.up()
    yield enclave
    relay.open = True
    enclave.close()


def test_without_docker_a_session_is_refused_and_a_running_one_is_not_called_gone(own: Enclave, relay: Relay) -> None:
    record = own.start_session("cem", "wages")
    own.known("ana")
    own.stop_session("ana", "wages")
    relay.open = False
    try:
        with own.hub as hub:
            answer = hub.post("/users/ana/servers/wages", json={})
        assert answer.status_code == 503
        assert "Docker Engine" in answer.json()["message"]
        time.sleep(6)  # longer than the hub's pause between two looks
        assert (own.server("cem", "wages") or {}).get("ready"), "a silent Engine has not ended a session"
        assert own.session("cem", "wages").id == record.id
    finally:
        relay.open = True
    with own.running_session("ana", "wages"):
        pass
    own.stop_session("cem", "wages")


def test_a_missing_image_is_said(own: Enclave) -> None:
    settings = own.settings.model_copy(
        update={"session": own.settings.session.model_copy(update={"image": "enclave/missing:latest"})}
    )
    with pytest.raises(Refused, match=r"enclave/missing:latest is not on this machine"):
        EngineRoom(settings).create(session_id="0" * 32, person="ana", project="wages", terminals=False, binds=[])


def test_a_session_that_runs_outlives_its_hub(own: Enclave) -> None:
    record = own.start_session("ana", "wages")
    own.kill("hub")
    wait_for("the hub to find its session", lambda: _ready(own, "ana", "wages"))
    assert own.session("ana", "wages").id == record.id
    assert own.inside(record.id, ["true"])[0] == 0
    own.stop_session("ana", "wages")


def _ready(own: Enclave, person: str, project: str) -> bool:
    try:
        return bool((own.server(person, project) or {}).get("ready"))
    except Exception:  # the hub is not up yet
        return False


def test_a_hub_killed_during_a_start_leaves_nothing_behind(own: Enclave) -> None:
    own.known("ana")
    own.stop_session("ana", "smoking")

    def ask() -> None:
        with contextlib.suppress(Exception), own.hub as hub:
            hub.post("/users/ana/servers/smoking", json={})

    asking = threading.Thread(target=ask)
    asking.start()
    wait_for("the start to be under way", lambda: own.session("ana", "smoking"), pause=0.01)
    own.kill("hub")
    asking.join()

    def settled() -> bool:
        # Either the start was recorded in time and the session runs, or nothing of it is left.
        if _ready(own, "ana", "smoking"):
            return True
        with own.reading() as db:
            return not live_sessions(db, "ana", "smoking")

    wait_for("the hub to have tidied up", settled)
    with own.running_session("ana", "smoking") as record:
        containers = [session for session in EngineRoom(own.settings).ours().values() if session]
        assert containers.count(record.id) == 1
        with own.reading() as db:
            assert len(live_sessions(db, "ana", "smoking")) == 1


def test_altered_files_are_not_mounted_and_the_stewards_are_told(own: Enclave) -> None:
    with own.reading() as db:
        version = db.query(RenditionVersion).filter_by(rendition_id="gpa2/full").one()
        file = own.settings.data_root / version.path / "data.parquet"
    body = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    with own.running_session("ana", "wages") as record:
        assert {mount["rendition"] for mount in record.mounts} == {"wagepan/pseudonymised"}
        about = own.inside(record.id, ["cat", "/data/ABOUT.md"])[1]
        assert "Granted, but not mounted" in about
        assert "gpa2/full" in about
    assert own.audit("dataset:altered")[-1]["subject"] == "rendition:gpa2/full"


def test_an_expired_agreement_opens_nothing(own: Enclave) -> None:
    from datetime import timedelta

    from access_control import clock
    from access_control.models import PolicyRow, touch

    with own.writing() as db:
        rows = db.query(PolicyRow).filter(PolicyRow.data.contains("randhie")).all()
        kept = [(row.id, row.until) for row in rows]
        for row in rows:
            row.start, row.until = clock.today() - timedelta(days=9), clock.today() - timedelta(days=1)
        touch(db)
    try:
        with own.running_session("bo", "smoking") as record:
            assert record.mounts == []
            assert "randhie/open" in own.inside(record.id, ["cat", "/data/ABOUT.md"])[1]
    finally:
        with own.writing() as db:
            for row_id, until in kept:
                db.get(PolicyRow, row_id).until = until
            touch(db)


def test_a_restart_of_everything_keeps_running_sessions(own: Enclave) -> None:
    record = own.start_session("cem", "wages")
    own.down()
    assert own.inside(record.id, ["true"])[0] == 0
    own.up()
    wait_for("the hub to find its session", lambda: _ready(own, "cem", "wages"))
    with own.reading() as db:
        assert db.get(SessionRecord, record.id).state == "running"
    own.stop_session("cem", "wages")


def test_settings_are_those_of_the_folder(own: Enclave) -> None:
    assert load_settings(own.config).data_root == own.settings.data_root
