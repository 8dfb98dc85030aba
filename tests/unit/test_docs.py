"""The documentation under test: links lead somewhere, claims name tests that exist, nothing goes undocumented."""

import ast
import re
from pathlib import Path

import pytest

from access_control.audit import Act

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files(page: Path) -> None:
    targets = [
        target for target in LINK.findall(page.read_text()) if "://" not in target and not target.startswith("mailto:")
    ]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_named_tests_exist(page: Path) -> None:
    missing = []
    for file, function in TEST.findall(page.read_text()):
        path = ROOT / file
        if not path.is_file():
            missing.append(file)
        elif function:
            tree = ast.parse(path.read_text())
            names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
            if function not in names:
                missing.append(f"{file}::{function}")
    assert missing == []


def test_every_page_is_reached_from_the_index() -> None:
    index = (DOCS / "index.md").read_text()
    linked = {(DOCS / target).resolve() for target in LINK.findall(index)}
    assert [name(page) for page in PAGES[1:] if page.name != "index.md" and page.resolve() not in linked] == []


def test_every_claim_of_the_threat_model_names_its_test() -> None:
    lines = (DOCS / "explanation" / "threat-model.md").read_text().splitlines()
    claims = [line for line in lines if re.match(r"\| [A-Z]\d+ \|", line)]
    assert len(claims) >= 10
    assert [line for line in claims if not TEST.search(line)] == []


def test_every_act_is_documented() -> None:
    page = (DOCS / "reference" / "audit-events.md").read_text()
    assert [act for act in Act if f"| `{act}` |" not in page] == []
    assert [found for found in re.findall(r"^\| `([\w:-]+)` \|", page, re.MULTILINE) if found not in list(Act)] == []


def test_no_page_speaks_of_a_machine() -> None:
    assert [name(page) for page in PAGES if re.search(r"/home/\w|/Users/|/tmp/bash", page.read_text())] == []
