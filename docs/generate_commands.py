"""Writes docs/reference/commands.md from the program itself: `python docs/generate_commands.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import hub.cli

PAGE = Path(__file__).parent / "reference" / "commands.md"
INTRODUCTION = """# Commands

Every command of `enclave`, as `--help` tells it. This page is generated: `python docs/generate_commands.py` writes it
anew, and a test fails when it is not current.

An error is a sentence on standard error and exit status 1. Lists are tables on a terminal and lines with tabs
elsewhere. Commands that change something act as `--as PERSON`, with that person's rights; without it the owner of the
data root acts as `<setup>`, the installation itself, which has an admin's rights and no say over an owner's data. The
audit log tells which, and that it came by the command line.
"""


def program() -> Any:
    """The whole program, with the commands of every part."""
    if "audit" not in typer.main.get_command(hub.cli.app).commands:  # type: ignore[attr-defined]  # the app is a group
        hub.cli._register_all()  # noqa: SLF001 - what main() does before it runs
    return typer.main.get_command(hub.cli.app)


def render() -> str:
    """The page."""
    return INTRODUCTION + "".join(
        part for name, command in sorted(program().commands.items()) for part in walk(command, name)
    )


def walk(command: Any, path: str) -> Iterator[str]:
    """The sections of a command, or of a group and its commands."""
    if getattr(command, "hidden", False):
        return
    commands = getattr(command, "commands", None)
    if commands is not None:
        yield f"\n## enclave {path}\n\n{text(command.help)}\n"
        for name, sub in commands.items():
            yield from walk(sub, f"{path} {name}")
        return
    heading = "###" if " " in path else "##"
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
    words = [called(one) if one.required else f"[{called(one)}]" for one in arguments]
    usage = " ".join(["enclave", path, *words, *(["[options]"] if options else [])])
    yield f"\n{heading} enclave {path}\n\n`{usage}`\n\n{text(command.help)}\n"
    if arguments or options:
        yield "\n| name | what it is | |\n| --- | --- | --- |\n"
    for one in arguments:
        yield f"| `{called(one)}` | {text(one.help)} | {'needed' if one.required else ''} |\n"
    for one in options:
        flags = ", ".join(f"`{flag}`" for flag in (*one.opts, *one.secondary_opts))
        yield f"| {flags} | {text(one.help)} | {needed(one)} |\n"


def called(argument: Any) -> str:
    """How an argument is called in the help."""
    return str(argument.metavar or argument.name.upper()).strip("[]")


def needed(option: Any) -> str:
    """Whether an option has to be given, and what it is when it isn't."""
    if option.required:
        return "needed"
    default = option.default
    if default is None or callable(default) or default in ("", [], ()) or isinstance(default, bool):
        return ""
    return f"default `{default}`"


def text(words: str | None) -> str:
    """Help as one line that fits into a table; an angle bracket is no tag."""
    return " ".join((words or "").split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(render())
    print(f"{PAGE} is written.")
