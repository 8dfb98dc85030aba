"""What the commands share: who acts, in which transaction, how errors are told, how lists are printed."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from access_control.changes import SETUP, acting_via
from access_control.database import open_database, reading, writing
from access_control.errors import AccessError, NotPermitted
from access_control.settings import Settings, load_settings


def _day(text: str | date) -> date:
    return text if isinstance(text, date) else date.fromisoformat(text)


As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="PERSON",
        help="Act as this person, with their rights; without it as <setup>, which only the data root's owner can.",
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why: kept in the audit log and shown to those concerned.")]
Source = Annotated[str, typer.Option("--source", help="Where this is written, such as a letter and its date.")]
Start = Annotated[date, typer.Option("--from", metavar="DAY", parser=_day, help="First day, such as 2026-06-01.")]
Until = Annotated[date, typer.Option("--until", metavar="DAY", parser=_day, help="Last day, such as 2027-05-31.")]
StartIfAny = Annotated[date | None, typer.Option("--from", metavar="DAY", parser=_day, help="First day.")]
UntilIfAny = Annotated[date | None, typer.Option("--until", metavar="DAY", parser=_day, help="Last day.")]


@dataclass(frozen=True)
class Desk:
    """One transaction of one command: the database session, who acts, the settings."""

    db: Session
    actor: str
    settings: Settings


@contextmanager
def acting(person: str) -> Iterator[Desk]:
    """A transaction in which `person` acts, or the installation itself when that is empty; errors end the command."""
    with _told():
        settings = load_settings()
        engine = open_database(settings.database)
        actor = person or _setup(settings)
        with acting_via(f"command line of {getpass.getuser()}"), writing(engine) as db:
            yield Desk(db, actor, settings)


@contextmanager
def looking() -> Iterator[Desk]:
    """The database for reading; errors end the command."""
    with _told():
        settings = load_settings()
        with reading(open_database(settings.database)) as db:
            yield Desk(db, "", settings)


@contextmanager
def _told() -> Iterator[None]:
    """An error is a sentence on standard error and exit status 1, never a traceback."""
    try:
        yield
    except AccessError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except (OperationalError, ProgrammingError) as error:
        typer.echo(
            f"The enclave's database cannot be used: {error.orig}. Make it with `enclave init`, "
            "or point ENCLAVE_CONFIG at your enclave.toml; `enclave doctor` says more.",
            err=True,
        )
        raise typer.Exit(1) from error


def _setup(settings: Settings) -> str:
    try:
        owner = settings.data_root.stat().st_uid
    except OSError as error:
        raise NotPermitted(f"The data root {settings.data_root} cannot be read: {error.strerror}.") from error
    if os.geteuid() != owner:
        raise NotPermitted(
            "Only the owner of the data root acts as the installation itself. Say who you are with --as."
        )
    return SETUP


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for a terminal; lines with tabs, the names of the columns first, for anything else."""
    texts = [["" if value is None else str(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        for line in (list(columns), *texts):
            typer.echo("\t".join(line))
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for line in texts:
        table.add_row(*line)
    Console(highlight=False, markup=False).print(table)
