"""The commands of access control: person, organisation, project, agreement, access, policy and why."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Adds the groups to the program `enclave`."""
