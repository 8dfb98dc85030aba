"""The shape of the code: imports run one way, and nothing in the tree that should not be there."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BELOW = {
    "access_control": {"access_control"},
    "egress_review": {"access_control", "egress_review"},
    "hub": {"access_control", "egress_review", "hub"},
}
PACKAGES = set(BELOW)


def modules() -> list[Path]:
    return [path for package in sorted(PACKAGES) for path in sorted((ROOT / package).rglob("*.py"))]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def test_there_are_modules_to_look_at() -> None:
    assert len(modules()) > 20


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {name for name in imports(path) if name.split(".")[0] in PACKAGES | {"images", "tests", "benchmarks"}}
    assert {name for name in ours if name.split(".")[0] not in BELOW[package]} == set()


def tracked() -> list[str]:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    return listing.stdout.split() if listing.returncode == 0 else []


def test_no_key_or_password_is_in_the_tree() -> None:
    marks = ("-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN OPENSSH PRIVATE KEY-----")
    guilty = []
    for name in tracked():
        path = ROOT / name
        if path.suffix in {".py", ".toml", ".md", ".json", ".yaml", ".txt", ""} and path.is_file():
            text = path.read_text(errors="ignore")
            # A check for keys names the mark; a key has its body below it.
            guilty += [name for mark in marks if f"{mark}\nM" in text]
    assert guilty == []


def test_the_one_casbin_is_pycasbin() -> None:
    from importlib.metadata import distributions

    names = {distribution.metadata["Name"].lower() for distribution in distributions()}
    assert "pycasbin" in names
    assert "casbin" not in names
