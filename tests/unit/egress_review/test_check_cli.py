import json

import pytest
import typer
from typer.testing import CliRunner

from egress_review.check_cli import register

APP = typer.Typer()
register(APP)


@APP.callback()
def _group() -> None:
    """More than one command, as in `enclave`."""


@pytest.fixture(autouse=True)
def _settings(tmp_path, monkeypatch):
    (tmp_path / "enclave.toml").write_text(f'data_root = "{tmp_path / "data"}"\n')
    monkeypatch.setenv("ENCLAVE_CONFIG", str(tmp_path / "enclave.toml"))


def _check(*arguments: str) -> tuple[int, list[dict]]:
    done = CliRunner().invoke(APP, ["check", *arguments, "--json"])
    return done.exit_code, [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]


@pytest.mark.parametrize(
    ("body", "status", "verdict"),
    [("sex,n\nF,120\nM,130\n", 0, "pass"), ("sex,n\nF,123\nM,130\n", 1, "warn"), ("sex,n\nF,3\nM,130\n", 2, "block")],
)
def test_the_exit_status_tells_the_verdict(tmp_path, body, status, verdict):
    (tmp_path / "out.csv").write_text(body)
    code, lines = _check(str(tmp_path / "out.csv"))
    assert code == status
    assert lines[0]["verdict"] == verdict
    assert lines[0]["path"] == str(tmp_path / "out.csv")
    for finding in lines[0]["findings"]:
        assert set(finding) == {"rule", "severity", "where", "message", "remedy"}


def test_a_folder_gives_a_line_a_file(tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "out" / name).write_text("sex,n\nF,120\nM,130\n")
    assert len(_check(str(tmp_path / "out"))[1]) == 2


def test_rows_of_a_named_file_are_found(tmp_path):
    import numpy as np
    import pandas as pd

    made = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"mean": made.normal(size=500), "sd": made.normal(size=500).round(3), "n": made.integers(20, 90, 500) * 5}
    )
    frame.to_csv(tmp_path / "source.csv", index=False)
    frame.head(12).to_csv(tmp_path / "out.csv", index=False)
    code, lines = _check(str(tmp_path / "out.csv"), "--against", str(tmp_path / "source.csv"))
    assert code == 2
    assert "source.rows" in {finding["rule"] for finding in lines[0]["findings"]}


@pytest.mark.parametrize(
    "arguments", [("missing.csv",), (".", "--profile", "nonsense"), (".", "--against", "nonsense")]
)
def test_what_cannot_be_told_exits_with_three(arguments):
    assert CliRunner().invoke(APP, ["check", *arguments]).exit_code == 3
