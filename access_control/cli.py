"""The commands of access control: person, organisation, project, agreement, access, policy and why."""

from __future__ import annotations

import typer

from access_control.commands.access import access
from access_control.commands.agreements import agreement
from access_control.commands.people import organisation, person
from access_control.commands.policy import policy, why
from access_control.commands.projects import project


def register(app: typer.Typer) -> None:
    """Adds the groups to the program `enclave`."""
    app.add_typer(organisation, name="organisation")
    app.add_typer(person, name="person")
    app.add_typer(project, name="project")
    app.add_typer(agreement, name="agreement")
    app.add_typer(access, name="access")
    app.add_typer(policy, name="policy")
    app.command("why")(why)
