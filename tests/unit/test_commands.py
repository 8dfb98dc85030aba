"""The page of commands is what the program says, and every command that a page or a message names is there."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`enclave ([a-z-]+)(?: ([a-z-]+))?")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_commands", ROOT / "docs" / "generate_commands.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(generator: ModuleType) -> None:
    assert generator.PAGE.read_text() == generator.render(), "run: python docs/generate_commands.py"


def test_every_command_that_is_named_exists(generator: ModuleType) -> None:
    commands: dict[str, Any] = generator.program().commands
    missing = []
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    sources = [
        path for package in ("access_control", "egress_review", "hub") for path in (ROOT / package).rglob("*.py")
    ]
    templates = (ROOT / "hub").rglob("*.html")
    for path in (*pages, *sources, *templates):
        for group, name in NAMED.findall(path.read_text()):
            command = commands.get(group)
            inner = getattr(command, "commands", None)
            if command is None or (inner is not None and name and name not in inner):
                missing.append(f"{path.relative_to(ROOT)}: enclave {group} {name}")
    assert missing == []
