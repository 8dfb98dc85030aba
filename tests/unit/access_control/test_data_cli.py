from pathlib import Path

import pytest
import typer
from data_world import OPEN, PEOPLE_CSV, DataWorld, data_world  # noqa: F401 - a fixture
from typer.testing import CliRunner, Result

from access_control import data_cli
from access_control.errors import AccessError
from access_control.models import DatasetVersion
from access_control.settings import Settings

runner = CliRunner(env={"COLUMNS": "200"})


@pytest.fixture
def run(data: DataWorld, monkeypatch: pytest.MonkeyPatch):
    config = data.root / "enclave.toml"
    config.write_text(f'data_root = "{data.settings.data_root}"\n')
    monkeypatch.setenv("ENCLAVE_CONFIG", str(config))
    indexed: list[tuple[int, bool]] = []

    def after(_settings: Settings, version: DatasetVersion, path: Path) -> None:
        indexed.append((version.number, path.is_file()))

    app = typer.Typer()
    data_cli.register(app, after)

    def call(*words: str) -> Result:
        return runner.invoke(app, [str(word) for word in words])

    call.indexed = indexed
    yield call
    data_cli.register(typer.Typer())


def test_from_file_to_report(data: DataWorld, run) -> None:
    csv, toml = data.file("people.csv", PEOPLE_CSV), data.file("open.toml", OPEN)
    added = run("dataset", "add", csv, "--id", "people", "--owner", "acme", "--tier", "3", "--title", "People")
    assert added.exit_code == 0, added.output
    assert "people version 1: 240 rows, 4 columns" in added.output
    assert run.indexed == [(1, True)]
    assert "in bands of 10" in run("rendition", "check", toml).output
    assert data.versions("people/open") == []
    assert "people/open is published: 240 rows" in run("rendition", "publish", toml, "--as", "sam").output
    assert "open (1)" in run("dataset", "list").output
    assert "age + sex" in run("rendition", "report", "people/open").output
    assert "people/open: People, generalised" in run("dataset", "show", "people").output
    assert "version 2: 240 rows" in run("rendition", "write", "people/open").output
    assert "2 versions" not in run("dataset", "verify").output
    assert run("rendition", "withdraw", "people/open", "1", "--reason", "old").exit_code == 0
    assert run("dataset", "set", "people", "--tier", "4", "--reason", "why").exit_code == 0
    assert "4 files" not in run("dataset", "delete", "people", "--reason", "why").output
    assert run("dataset", "delete", "people", "--reason", "why", "--before-retention").exit_code == 0
    assert data.stored() == []


def test_an_altered_file_ends_verify_with_1(data: DataWorld, run) -> None:
    file = data.settings.data_root / data.add().path / "data.parquet"
    assert run("dataset", "verify").exit_code == 0
    file.chmod(0o600)
    file.write_bytes(b"x")
    found = run("dataset", "verify")
    assert found.exit_code == 1
    assert "people version 1: data.parquet was changed" in found.output


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("dataset", "add", "none.csv", "--id", "x", "--owner", "acme", "--tier", "1", "--title", "X"), "is no file"),
        (
            (
                "dataset",
                "add",
                "none.csv",
                "--id",
                "x",
                "--owner",
                "acme",
                "--tier",
                "1",
                "--title",
                "X",
                "--as",
                "gil",
            ),
            "add data",
        ),
        (("dataset", "set", "people", "--reason", "why"), "Nothing to change"),
        (("dataset", "show", "none"), "no dataset"),
        (("rendition", "report", "x/y"), "no rendition"),
        (("rendition", "check", "none.toml"), "cannot be read"),
    ],
)
def test_refusals_are_sentences(run, words: tuple[str, ...], fault: str) -> None:
    found = run(*words)
    assert isinstance(found.exception, AccessError)
    assert fault in str(found.exception)


def test_a_dictionary_is_read(data: DataWorld, run) -> None:
    csv, words = data.file("people.csv", PEOPLE_CSV), data.file("words.toml", 'age = "Age in years"\n')
    options = ("--id", "people", "--owner", "acme", "--tier", "3", "--title", "People", "--dictionary", words)
    assert run("dataset", "add", csv, *options).exit_code == 0
    assert "Age in years" in run("dataset", "show", "people").output
    data.file("words.toml", "age = 5\n")
    assert "age is no text" in str(run("dataset", "add", csv, *options).exception)
