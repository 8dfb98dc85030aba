"""Every benchmark can be run quickly, and ends with one line that a program can read."""

import ast
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
BENCHMARKS = sorted(path for path in FOLDER.glob("*.py") if path.name != "report.py")


def load_report() -> ModuleType:
    spec = importlib.util.spec_from_file_location("report", FOLDER / "report.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_last_line_has_each_figure_beside_its_peers(capsys: pytest.CaptureFixture[str]) -> None:
    report = load_report()
    report.finish(
        "speed",
        {
            "walk": report.figure(2.0, {"run": 8.0, "swim": 1.0, "fly": None}, "s", wanted=1),
            "rest": report.figure(3.21098, {}, "MiB"),
        },
        rows=7,
    )
    walk = {"ours": 2.0, "peers": {"run": 8.0, "swim": 1.0}, "unit": "s", "ratio": 0.25}
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {
        "benchmark": "speed",
        **walk,
        "figures": {
            "walk": walk | {"wanted": 1},
            "rest": {"ours": 3.211, "peers": {}, "unit": "MiB", "ratio": None},
        },
        "rows": 7,
    }


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_each_benchmark_has_a_quick_run_and_ends_with_that_line(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert "--quick" in {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    finishes = [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "report.finish"
        and isinstance(node.args[0], ast.Constant)
    ]
    assert path.stem in finishes
