"""`enclave notices …`: what people were told by e-mail, and what did not get through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, select

from access_control.database import open_database, reading, writing
from access_control.settings import Settings, load_settings
from hub.notices import delivery
from hub.notices.models import Notice

notices = typer.Typer(help="What people are told by e-mail.", no_args_is_help=True)
console = Console()


def register(app: typer.Typer) -> None:
    """Adds the group `notices` to the command line."""
    app.add_typer(notices, name="notices")


@contextmanager
def _enclave() -> Iterator[tuple[Engine, Settings]]:
    settings = load_settings()
    engine = open_database(settings.database)
    try:
        yield engine, settings
    finally:
        engine.dispose()


@notices.command("list")
def show(
    everything: Annotated[bool, typer.Option("--all", help="Those that arrived too.")] = False,
) -> None:
    """List the notices that wait or did not get through, and why."""
    with _enclave() as (engine, _), reading(engine) as db:
        rows = list(db.scalars(select(Notice).order_by(Notice.id)))
        table = Table("notice", "to", "about", "how far", "tries", "what went wrong")
        for row in rows:
            if everything or row.stage not in {"sent", "over"}:
                table.add_row(str(row.id), row.person_id, row.key, row.stage, str(row.tries), row.problem)
    console.print(table)


@notices.command("send")
def send() -> None:
    """Send now what waits, as the enclave does by itself every few minutes; ends with 1 when something failed."""
    with _enclave() as (engine, settings):
        problems = delivery.deliver(engine, settings)
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)


@notices.command("again")
def again(
    number: Annotated[int, typer.Argument(help="As `enclave notices list` has it.", metavar="NOTICE")],
    actor: Annotated[str, typer.Option("--as", help="The id of the admin who does this.")],
) -> None:
    """Send a notice once more of which nobody knows whether it arrived, or one that waits for its next try."""
    with _enclave() as (engine, _), writing(engine) as db:
        delivery.again(db, number, actor=actor)
