import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from lifecycle_world import World
from sqlalchemy.orm import Session
from typer.testing import CliRunner, Result

from access_control import cli, clock
from access_control.database import Base, open_database, writing
from access_control.models import Dataset, Rendition, RenditionVersion

Run = Callable[..., Result]
TERM = ("--from", "2026-06-01", "--until", "2027-05-31")


def program() -> typer.Typer:
    app = typer.Typer()
    cli.register(app)
    return app


@pytest.fixture
def run(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on the world's database."""
    config = tmp_path / "enclave.toml"
    config.write_text(f'data_root = "{tmp_path}"\n')
    monkeypatch.setenv("ENCLAVE_CONFIG", str(config))
    app = program()
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def refused(result: Result, says: str) -> None:
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_an_enclave_is_filled_by_commands_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "enclave.toml"
    config.write_text(f'data_root = "{tmp_path}"\n')
    monkeypatch.setenv("ENCLAVE_CONFIG", str(config))
    engine = open_database(f"sqlite:///{tmp_path / 'enclave.sqlite'}")
    Base.metadata.create_all(engine)
    app = program()

    def run(text: str, *more: str) -> str:
        return ok(CliRunner().invoke(app, [*text.split(), *more]))

    today = clock.today().isoformat()
    dates = f"--from {today} --until 9999-12-31"
    run("organisation add acme --title Acme --region EU")
    run("organisation add uni --title Uni --region EU")
    for person, home in (("ana", "uni"), ("lea", "uni"), ("sam", "acme")):
        run(f"person add {person} --name {person} --email {person}@x.example --affiliation {home} --region EU")
    run(f"project add p17 --title Survival --tier 1 --region EU --purpose HMB {dates}")
    run("project state p17 active --reason start")
    for person, role, domain in (
        ("ana", "researcher", "project:p17"),
        ("lea", "lead", "project:p17"),
        ("sam", "steward", "owner:acme"),
    ):
        assert "In force: role" in run(f"person role {person} {role} {domain} {dates} --source letter")
    run(f"person clearance ana 1 {dates} --source letter")
    with writing(engine) as db:
        fill(db)
    assert "does not see hiv/open" in run("why ana p17 hiv")
    asked = run("access ask p17 hiv/open --purpose HMB --until 9999-12-31 --as ana")
    assert "Request 1: Asked. A steward of acme" in asked
    run("access grant 1 --as sam --conditions", "No linkage.")
    text = run("agreement show AGR-0001")
    assert "Conditions: No linkage.\n" in text
    assert "acme: signed by sam\nuni: not signed\n" in text
    assert "AGR-0001 is active" in run("access accept 1 --as lea")
    assert "may see hiv/open" in run("why ana p17 hiv")
    assert "ana\tp17\thiv/open\tAGR-0001.1\tAGR-0001" in run("policy who-could hiv")
    assert "AGR-0001.1\tallow\tresearcher\tproject:p17" in run("policy rows")
    assert "+ AGR-0001.1, allow, researcher, project:p17, data:hiv/open" in run("policy diff 0 1")
    assert "The chain of 1 versions holds" in run("policy verify")
    run("policy withdraw hiv --reason question --as sam")
    assert "does not see" in run("why ana p17 hiv")
    engine.dispose()


def fill(db: Session) -> None:
    db.add(Dataset(id="hiv", title="HIV", owner_id="acme", tier=1))
    db.flush()
    db.add(Rendition(id="hiv/open", dataset_id="hiv", name="open", tier=1, spec=""))
    db.flush()
    db.add(
        RenditionVersion(
            rendition_id="hiv/open",
            dataset_version=1,
            number=1,
            path="renditions/hiv/open/1",
            files={},
            rows=1,
            columns=[],
            quality=[],
            uniqueness={},
            published_by="sam",
            published_at=clock.now(),
        )
    )


def test_two_admins_at_the_command_line(run: Run, world: World) -> None:
    assert "enclave person approve 1" in ok(run("person", "clearance", "sam", 3, *TERM, "--source", "x", "--as", "eve"))
    assert "sam\tclearance" in ok(run("person", "proposals"))
    refused(run("person", "approve", 1, "--as", "eve"), "You may not approve this proposal")
    ok(run("person", "approve", 1, "--as", "adam"))
    assert "clearance\t" in ok(run("person", "show", "sam"))


def test_the_log_tells_that_it_came_by_the_command_line(run: Run, world: World) -> None:
    ok(run("person", "suspend", "ana", "--reason", "an incident", "--as", "eve"))
    entry = json.loads(world.log()[-1])
    assert entry["actor"] == "eve"
    assert entry["details"]["via"].startswith("command line of ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("person show nobody", "There is no person 'nobody'. `enclave person list`"),
        ("project state p17 open --reason x", "'open' is no state of a project"),
        ("agreement show AGR-9999", "There is no agreement 'AGR-9999'"),
        ("access refuse 7 --reason x --as sam", "There is no request 7"),
        ("person suspend ana --reason x --as sam", "You may not suspend a person"),
        ("person suspend ana --reason x --as nobody", "'nobody' is nobody's id here"),
        ("policy withdraw hiv --reason x", "the first installation has no say over an owner's data"),
        ("policy diff 0 4", "There is no policy version 4"),
        ("policy who-could hiv --at yesterday", "'yesterday' is no moment"),
        ("policy check /nowhere/changes.csv", "/nowhere/changes.csv cannot be read"),
    ],
)
def test_an_error_is_a_sentence_and_exit_status_1(run: Run, words: str, says: str) -> None:
    refused(run(*words.split()), says)


def test_a_change_of_policy_from_file_to_force(run: Run, world: World, tmp_path: Path) -> None:
    world.active_agreement()
    session = world.session("ana")
    file = tmp_path / "changes.csv"
    header = "change,id,eft,role,project,data,act,purpose,region,start,until\n"
    file.write_text(header + "add,POL-0001,Deny,anyone,any,data:hiv,mount,any,any,2026-06-01,2026-12-31\n")
    refused(run("policy", "check", file), "line 2: POL-0001: effect 'Deny' must be 'allow' or 'deny'")
    file.write_text(header + "add,POL-0001,deny,anyone,any,data:hiv,mount,any,any,2026-06-01,2026-12-31\n")
    assert "1 rows to add" in ok(run("policy", "check", file))
    tried = ok(run("policy", "try", file))
    assert "- ana in p17: hiv/pseudonymised, from 2026-06-01: POL-0001 denies it" in tried
    assert f"! session {session.id} of ana in p17 would stop" in tried
    assert world.sees("ana") == ["hiv/pseudonymised"]
    ok(run("policy", "propose", file, "--reason", "a pause", "--as", "eve"))
    assert ok(run("policy", "preview", 1)) == tried
    refused(run("policy", "approve", 1, "--as", "eve"), "You may not approve")
    assert "In force as version 2" in ok(run("policy", "approve", 1, "--as", "adam"))
    assert world.sees("ana") == []


def test_accesses_are_listed_for_an_auditor(run: Run, world: World) -> None:
    world.active_agreement()
    world.session("ana")
    listed = ok(run("policy", "accesses", "hiv")).splitlines()
    assert listed[0].split("\t")[:3] == ["person", "project", "rendition"]
    assert listed[1].split("\t")[:5] == ["ana", "p17", "hiv/pseudonymised", "1", "AGR-0001"]


@pytest.mark.parametrize(
    "words",
    [
        "organisation list", "person list", "person proposals", "project list", "project show p17", "agreement list",
        "agreement renewals", "access list", "policy rows", "policy terms", "policy proposals", "policy versions",
        "policy verify", "agreement expire",
    ],
)  # fmt: skip
def test_lists_answer(run: Run, words: str) -> None:
    assert ok(run(*words.split()))


def test_without_a_database_the_way_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "enclave.toml"
    config.write_text(f'data_root = "{tmp_path / "none"}"\n')
    monkeypatch.setenv("ENCLAVE_CONFIG", str(config))
    refused(CliRunner().invoke(program(), ["person", "list"]), "enclave init")
    refused(
        CliRunner().invoke(program(), ["person", "suspend", "ana", "--reason", "x"]), "cannot be read: No such file"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_only_the_owner_of_the_data_root_is_the_installation(run: Run, tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    refused(run("organisation", "add", "new", "--title", "New", "--region", "EU"), "Say who you are with --as")


def test_every_command_and_option_has_its_help() -> None:
    def walk(command: object, path: str) -> list[str]:
        missing = [path] if not command.help else []
        for parameter in command.params:
            if parameter.name != "help" and not parameter.help:
                missing.append(f"{path} {parameter.name}")
        for name, sub in getattr(command, "commands", {}).items():
            missing += walk(sub, f"{path} {name}")
        return missing

    root = typer.main.get_command(program())
    assert [gap for name, sub in root.commands.items() for gap in walk(sub, name)] == []
