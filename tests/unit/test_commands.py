"""The page of commands is what the program says, and every command that a page or a message names is there."""

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`enclave ([a-z-]+)(?: ([a-z-]+))?")


EXAMPLE = re.compile(r"^enclave .*$", re.MULTILINE)


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
    assert not missing, "\n".join(missing)


def test_every_example_on_a_page_has_the_options_it_needs_and_no_others(generator: ModuleType) -> None:
    wrong = []
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            for line in EXAMPLE.findall(block.replace("\\\n", " ")):
                _, *words = shlex.split(line, comments=True)
                command: Any = generator.program()
                while words and words[0] in getattr(command, "commands", {}):
                    command = command.commands[words.pop(0)]
                given = [word.partition("=")[0] for word in words if word.startswith("--")]
                known = {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)} | {"--help"}
                needed = [one.opts[0] for one in command.params if one.required and one.param_type_name == "option"]
                if getattr(command, "commands", None) or set(given) - known or set(needed) - set(given):
                    wrong.append(f"{page.relative_to(ROOT)}: {line}")
    assert not wrong, "\n".join(wrong)
