"""Runs the tour and prints each step with what it proves."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Engine

from access_control.settings import Settings
from hub.tour.browser import Secret
from hub.tour.steps import PROJECT, STEPS, Tour

PEOPLE = ("ana", "sam", "sol", "eve", "adam")


def run_tour(engine: Engine, settings: Settings, secrets: Mapping[str, Secret], console: Console | None = None) -> bool:
    """Drives the running enclave through its main job; True when every step held.

    Stops at the first step that did not hold, for the ones after it build on it.
    """
    out = console or Console(highlight=False)
    tour = Tour.of(engine, settings, secrets)
    out.print(f"[bold]The tour[/bold] of {settings.web.origin}, {len(STEPS)} steps\n")
    try:
        for number, step in enumerate(STEPS, start=1):
            title = (step.__doc__ or step.__name__).splitlines()[0]
            with out.status(f"{title} …"):
                try:
                    proved = step(tour)
                except Exception as error:
                    out.print(_step("[red]✗", number, title, f"{type(error).__name__}: {escape(str(error))}"))
                    return False
            out.print(_step("[green]✓", number, title, f"[dim]{escape(proved)}"))
        out.print("\n[bold green]Every step held.[/bold green]")
        return True
    finally:
        try:
            tour.people["ana"].stop_session(PROJECT)
        finally:
            tour.close()


def _step(sign: str, number: int, title: str, more: str) -> Table:
    """A step as two lines whose long text stays indented."""
    shown = Table.grid(padding=(0, 1))
    shown.add_row(sign, f"{number:2}.", title)
    shown.add_row("", "", more)
    return shown
