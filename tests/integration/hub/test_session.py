"""Sessions through the real hub and Docker Engine: what is mounted, what the container may do, who is refused."""

import concurrent.futures
import json

import docker
import pytest

from hub.container import SESSION_LABEL
from tests.running import Enclave, wait_for


def test_a_session_sees_what_is_granted_and_nothing_else(enclave: Enclave) -> None:
    with enclave.running_session("ana", "smoking") as record:
        assert {mount["target"] for mount in record.mounts} == {"/data/nhefs", "/data/randhie"}
        code, listed = enclave.inside(record.id, ["ls", "/data"])
        assert (code, set(listed.split())) == (0, {"ABOUT.md", "nhefs", "randhie"})
        code, printed = enclave.inside(
            record.id,
            ["python", "-c", "import pandas; print(pandas.read_parquet('/data/nhefs/data.parquet').shape[0])"],
        )
        assert (code, printed.strip()) == (0, "1629")
        for target in ("/data/nhefs/data.parquet", "/data/new", "/usr/new"):
            code, printed = enclave.inside(record.id, ["sh", "-c", f"echo x >> {target}"])
            assert code != 0
            assert "Read-only" in printed or "Permission denied" in printed
        assert enclave.inside(record.id, ["touch", "/workspace/kept"])[0] == 0
        started = [one for one in enclave.audit("session:started") if one["subject"] == f"session:{record.id}"]
        assert started[0]["details"]["mounts"] == record.mounts
        assert started[0]["actor"] == "ana"
    stopped = [one for one in enclave.audit("session:stopped") if one["subject"] == f"session:{record.id}"]
    assert len(stopped) == 1
    assert not list((enclave.settings.run / "sessions").glob(record.id))


def test_what_a_lower_clearance_does_not_see_is_explained(enclave: Enclave) -> None:
    with enclave.running_session("bo", "smoking") as record:
        assert {mount["rendition"] for mount in record.mounts} == {"randhie/open"}
        about = enclave.inside(record.id, ["cat", "/data/ABOUT.md"])[1]
        assert "nhefs/pseudonymised" in about
        assert "clearance" in about
        assert "AGR-" in about


def test_a_project_without_data_starts_and_says_so(enclave: Enclave) -> None:
    with enclave.running_session("ana", "empty") as record:
        assert record.mounts == []
        assert "none is granted to you" in enclave.inside(record.id, ["cat", "/data/ABOUT.md"])[1]


@pytest.mark.parametrize(
    ("person", "project", "sentence"),
    [
        ("cem", "smoking", "no role"),
        ("ana", "paused", "suspended"),
        ("ana", "unknown", "no project"),
        ("eve", "smoking", "no role"),
        ("sol", "smoking", "no role"),
    ],
)
def test_who_may_not_open_a_session_is_told_why(enclave: Enclave, person: str, project: str, sentence: str) -> None:
    answer = enclave.ask_session(person, project)
    assert answer.status_code == 403
    assert sentence in answer.json()["message"]
    refused = enclave.audit("session:refused")[-1]
    assert (refused["actor"], refused["subject"]) == (person, f"project:{project}")
    assert enclave.session(person, project) is None


@pytest.mark.parametrize("options", [{"image": "debian"}, {"user_options": {"image": "debian"}}, {"mounts": ["/"]}])
def test_options_from_the_api_are_refused(enclave: Enclave, options: dict) -> None:
    enclave.known("ana")
    enclave.stop_session("ana", "wages")
    with enclave.hub as hub:
        answer = hub.post("/users/ana/servers/wages", json=options)
        assert answer.status_code == 400
        assert "takes no options" in answer.json()["message"]
    with enclave.running_session("ana", "wages") as record:
        container = docker.from_env().containers.get(record.container)
        assert container.attrs["Config"]["Image"] == enclave.settings.session.image


def test_there_is_no_default_server(enclave: Enclave) -> None:
    enclave.known("ana")
    with enclave.hub as hub:
        answer = hub.post("/users/ana/server", json={})
    assert answer.status_code == 400
    assert "belongs to a project" in answer.json()["message"]


def test_the_container_has_no_network_no_credential_and_no_power(enclave: Enclave) -> None:
    with enclave.running_session("ana", "wages") as record:
        attrs = docker.from_env().containers.get(record.container).attrs
        host = attrs["HostConfig"]
        assert host["NetworkMode"] == "none"
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert not host["Privileged"]
        assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"])
        assert "seccomp=unconfined" not in host["SecurityOpt"]
        assert host["Memory"] == host["MemorySwap"] == enclave.settings.session.memory_mib * 1024**2
        assert host["PidsLimit"] == enclave.settings.session.processes
        assert host["CpuQuota"] > 0
        assert attrs["Config"]["User"].startswith(str(enclave.settings.session.uid))
        assert attrs["Config"]["Labels"][SESSION_LABEL] == record.id
        whole = json.dumps(attrs).lower()
        for secret in (enclave.settings.keys / name for name in ("portal.token", "warden.token", "proxy.token")):
            assert secret.read_text().strip() not in whole
        assert not [one for one in attrs["Config"]["Env"] if "JUPYTERHUB" in one or "TOKEN" in one]
        writable = {mount["Destination"] for mount in attrs["Mounts"] if mount["RW"]}
        assert writable == {"/workspace", "/run/enclave"}
        code, interfaces = enclave.inside(record.id, ["cat", "/proc/net/dev"])
        assert code == 0
        assert [line.split(":")[0].strip() for line in interfaces.splitlines()[2:]] == ["lo"]


def test_a_workspace_belongs_to_person_and_project(enclave: Enclave) -> None:
    with enclave.running_session("ana", "wages") as record:
        enclave.inside(record.id, ["sh", "-c", "echo mine > /workspace/only-in-wages"])
    with enclave.running_session("ana", "wages") as record:
        assert enclave.inside(record.id, ["cat", "/workspace/only-in-wages"])[1].strip() == "mine"
    with enclave.running_session("ana", "empty") as record:
        assert "only-in-wages" not in enclave.inside(record.id, ["ls", "/workspace"])[1]
    with enclave.running_session("cem", "wages") as record:
        assert "only-in-wages" not in enclave.inside(record.id, ["ls", "/workspace"])[1]


def test_two_starts_at_once_make_one_session(enclave: Enclave) -> None:
    enclave.known("cem")
    enclave.stop_session("cem", "wages")

    def ask(_: int) -> int:
        with enclave.hub as hub:
            return hub.post("/users/cem/servers/wages", json={}).status_code

    try:
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            answers = sorted(pool.map(ask, range(3)))
        # The hub itself answers 500 to one that comes at the same moment as another: a start is pending already.
        assert set(answers) <= {201, 202, 400, 500}
        assert answers[0] in (201, 202)
        wait_for("the one session", lambda: (enclave.server("cem", "wages") or {}).get("ready"))
        record = enclave.session("cem", "wages")
        assert record is not None
        found = docker.from_env().containers.list(filters={"label": "enclave.person=cem"})
        assert [one.labels[SESSION_LABEL] for one in found] == [record.id]
    finally:
        enclave.stop_session("cem", "wages")


def test_a_container_that_ends_by_itself_is_noticed_and_explained(enclave: Enclave) -> None:
    record = enclave.start_session("cem", "wages")
    docker.from_env().containers.get(record.container).kill()
    wait_for("the hub to notice", lambda: not (enclave.server("cem", "wages") or {}).get("ready"))
    wait_for("the record to end", lambda: enclave.session("cem", "wages") is None)
    stopped = [one for one in enclave.audit("session:stopped") if one["subject"] == f"session:{record.id}"]
    assert "ended by itself" in stopped[0]["details"]["reason"] or "gone" in stopped[0]["details"]["reason"]
    with enclave.running_session("cem", "wages") as again:
        assert again.id != record.id


def test_a_lowered_clearance_ends_the_session_soon(enclave: Enclave) -> None:
    from access_control import people
    from access_control.models import Clearance

    record = enclave.start_session("dora", "smoking")
    try:
        with enclave.writing() as db:
            kept = [
                {"level": one.level, "start": one.start, "until": one.until}
                for one in db.query(Clearance).filter_by(person_id="dora")
            ]
            people.lower_clearance(db, "dora", level=0, reason="test", actor="eve")
        wait_for("the session's end", lambda: enclave.session("dora", "smoking") is None)
        wait_for("the container's end", lambda: not docker.from_env().containers.list(filters={"name": record.id}))
    finally:
        from access_control.models import touch

        with enclave.writing() as db:
            db.query(Clearance).filter_by(person_id="dora").delete()
            for one in kept:
                db.add(Clearance(person_id="dora", accredited_by="<setup>", source="test", **one))
            touch(db)
        enclave.stop_session("dora", "smoking")
