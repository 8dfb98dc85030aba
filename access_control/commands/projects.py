"""`enclave project …`."""
# ruff: noqa: PLR0917 - typer calls a command with names, whatever their order

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select

from access_control import changes, clock, projects
from access_control.commands.common import As, Reason, Start, Until, UntilIfAny, acting, looking, print_rows
from access_control.models import Agreement, Project, Role
from access_control.terms import label

project = typer.Typer(help="Projects: purposes, tier, references, members, state.", no_args_is_help=True)

ProjectId = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's id.")]
Ethics = typer.Option("--ethics", help="Reference of the ethics approval.")
Contract = typer.Option("--contract", help="Reference of the contract.")
Assessment = typer.Option("--assessment", help="Reference of the data protection impact assessment.")


@project.command("add")
def add(
    id: Annotated[str, typer.Argument(help="Its id, such as p17.")],  # noqa: A002
    title: Annotated[str, typer.Option(help="Its title.")],
    tier: Annotated[int, typer.Option(help="The highest tier of data that it may see, 0 to 4.")],
    region: Annotated[str, typer.Option(help="Where it is done, such as EU.")],
    purpose: Annotated[list[str], typer.Option(help="A purpose term, such as HMB; once for each.")],
    start: Start,
    until: Until,
    description: Annotated[str, typer.Option(help="What it is about.")] = "",
    ethics: Annotated[str, Ethics] = "",
    contract: Annotated[str, Contract] = "",
    assessment: Annotated[str, Assessment] = "",
    as_person: As = "",
) -> None:
    """Add a project in the state proposed."""
    with acting(as_person) as desk:
        projects.add_project(
            desk.db, id=id, title=title, tier=tier, region=region, purposes=purpose, start=start, until=until,
            description=description, ethics_reference=ethics, contract_reference=contract,
            assessment_reference=assessment, actor=desk.actor,
        )  # fmt: skip
        typer.echo(f"Project {id} is proposed. `enclave project state {id} active` activates it.")


@project.command("list")
def list_projects() -> None:
    """List the projects."""
    with looking() as desk:
        rows = desk.db.scalars(select(Project).order_by(Project.id))
        print_rows(
            ("id", "title", "tier", "state", "until"),
            [(row.id, row.title, row.tier, row.state, row.until) for row in rows],
        )


@project.command("show")
def show(id: ProjectId) -> None:  # noqa: A002
    """Show a project: its purposes, references, members and agreements."""
    with looking() as desk:
        row = changes.get_project(desk.db, id)
        typer.echo(f"{row.id}: {row.title}\nTier {row.tier}, {row.region}, {row.state}, {row.start} until {row.until}")
        typer.echo("Purposes: " + ", ".join(f"{purpose} {label(purpose)}" for purpose in row.purposes))
        for name, words in projects.REFERENCES.items():
            typer.echo(f"Reference of {words}: {getattr(row, name) or 'none'}")
        today = clock.today()
        members = desk.db.scalars(select(Role).where(Role.domain == f"project:{id}").order_by(Role.person_id))
        listed = [
            (one.person_id, one.role, one.start, one.until, "today" if one.start <= today <= one.until else "")
            for one in members
        ]
        print_rows(("member", "role", "from", "until", "in force"), listed)
        held = desk.db.scalars(select(Agreement).where(Agreement.project_id == id).order_by(Agreement.id))
        print_rows(
            ("agreement", "state", "until", "renditions"),
            [(one.id, one.state, one.until, ", ".join(one.renditions)) for one in held],
        )


@project.command("change")
def change(
    id: ProjectId,  # noqa: A002
    reason: Reason,
    title: Annotated[str | None, typer.Option(help="A new title.")] = None,
    description: Annotated[str | None, typer.Option(help="A new description.")] = None,
    tier: Annotated[int | None, typer.Option(help="A new tier; only while the project isn't active.")] = None,
    region: Annotated[str | None, typer.Option(help="A new region; only while it isn't active.")] = None,
    purpose: Annotated[list[str] | None, typer.Option(help="New purposes; only while it isn't active.")] = None,
    until: UntilIfAny = None,
    ethics: Annotated[str | None, Ethics] = None,
    contract: Annotated[str | None, Contract] = None,
    assessment: Annotated[str | None, Assessment] = None,
    as_person: As = "",
) -> None:
    """Change a project. What decides access changes only while it isn't active."""
    with acting(as_person) as desk:
        projects.change_project(
            desk.db, id, title=title, description=description, tier=tier, region=region, purposes=purpose or None,
            until=until, ethics_reference=ethics, contract_reference=contract, assessment_reference=assessment,
            reason=reason, actor=desk.actor,
        )  # fmt: skip
        typer.echo(f"Project {id} is changed.")


@project.command("state")
def state(
    id: ProjectId,  # noqa: A002
    state: Annotated[str, typer.Argument(help=f"One of {', '.join(projects.PROJECT_TRANSITIONS)}.")],
    reason: Reason,
    as_person: As = "",
) -> None:
    """Activate, suspend or close a project."""
    with acting(as_person) as desk:
        projects.set_project_state(desk.db, id, state, reason=reason, actor=desk.actor)
        typer.echo(f"Project {id} is {state}.")
