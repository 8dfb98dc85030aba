"""`enclave audit …`: read, verify, export and witness the audit log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from access_control.database import open_database
from access_control.errors import AccessError
from access_control.settings import load_settings
from access_control.transparency import Checkpointer, Verification, entries, export, verify_enclave, verify_export

audit = typer.Typer(help="Read and verify the log of every act.", no_args_is_help=True)
WitnessOption = Annotated[
    Path | None, typer.Option(help="A file of checkpoint lines that you were handed earlier, one a line.")
]


def register(app: typer.Typer) -> None:
    """Adds the group `audit` to the command line."""
    app.add_typer(audit, name="audit")


@audit.command("list")
def show(
    act: Annotated[str, typer.Option(help="Only this act, such as session:started.")] = "",
    actor: Annotated[str, typer.Option(help="Only what this person or program did.")] = "",
    last: Annotated[int, typer.Option(help="Only the last so many entries; 0 shows all.")] = 50,
) -> None:
    """Print entries as JSON lines, oldest first."""
    engine = open_database(load_settings().database)
    chosen = []
    for body in entries(engine):
        value = json.loads(body)
        if (not act or value["act"] == act) and (not actor or value["actor"] == actor):
            chosen.append(body)
    for body in chosen[-last:] if last else chosen:
        typer.echo(body)


@audit.command("verify")
def verify(
    folder: Annotated[Path | None, typer.Argument(help="An exported log; without it, the enclave's own.")] = None,
    witness: WitnessOption = None,
) -> None:
    """Verify the whole log offline: exit status 0 when nothing was edited, removed, reordered or cut off."""
    lines = witness.read_text().splitlines() if witness else []
    settings = load_settings()
    try:
        found = (
            verify_export(folder, lines)
            if folder
            else verify_enclave(open_database(settings.database), settings, lines)
        )
    except (AccessError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    tell(found)
    if not found.sound:
        raise typer.Exit(1)


def tell(found: Verification) -> None:
    """Prints what a verification found."""
    console = Console(highlight=False)
    for problem in found.problems:
        console.print(f"[red]✗[/red] {problem}")
    mark = "[green]✓[/green]" if found.sound else "[red]✗[/red]"
    console.print(
        f"{mark} {found.entries} entries, {found.covered} of them under {found.checkpoints} signed checkpoints;"
        f" root {found.root}"
    )


@audit.command("export")
def export_log(folder: Annotated[Path, typer.Argument(help="A folder to make.")]) -> None:
    """Write the whole log, its checkpoints and the public key into a new folder, to hand to an auditor."""
    settings = load_settings()
    if folder.exists():
        typer.echo(f"{folder} is already there. Name a folder that is not.", err=True)
        raise typer.Exit(1)
    count = export(open_database(settings.database), settings, folder)
    typer.echo(f"{count} entries written to {folder}. Verify them anywhere with: enclave audit verify {folder}")


@audit.command("checkpoint")
def checkpoint() -> None:
    """Sign a checkpoint now if the log has grown, and print the last one: keep the line elsewhere as a witness."""
    settings = load_settings()
    try:
        Checkpointer(open_database(settings.database), settings).checkpoint()
    except AccessError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    lines = (settings.audit / "checkpoints.jsonl").read_text().splitlines()
    typer.echo(lines[-1] if lines else "The log is empty.")
