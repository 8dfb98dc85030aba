"""`enclave access …`."""
# ruff: noqa: PLR0917 - typer calls a command with names, whatever their order

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select

from access_control import access_requests
from access_control.commands.common import As, Reason, Until, UntilIfAny, acting, looking, print_rows
from access_control.models import AccessRequest

access = typer.Typer(help="Requests for access: asked, granted or refused by the owner.", no_args_is_help=True)

RequestId = Annotated[int, typer.Argument(metavar="REQUEST", help="A number from `enclave access list`.")]


@access.command("ask")
def ask(
    project: Annotated[str, typer.Argument(help="One of your projects.")],
    rendition: Annotated[str, typer.Argument(help="Such as hiv/pseudonymised.")],
    purpose: Annotated[str, typer.Option(help="What it is wanted for: one of the project's purposes, such as HMB.")],
    until: Until,
    as_person: As = "",
) -> None:
    """Ask for a rendition in a project of yours."""
    with acting(as_person) as desk:
        answer = access_requests.ask_access(
            desk.db, project=project, rendition=rendition, purpose=purpose, until=until, actor=desk.actor
        )
        typer.echo(f"Request {answer.request.id}: {answer.sentence}")


@access.command("list")
def list_requests(state: Annotated[str, typer.Option(help="Only those in this state, such as asked.")] = "") -> None:
    """List the requests."""
    with looking() as desk:
        rows = desk.db.scalars(select(AccessRequest).order_by(AccessRequest.id))
        print_rows(
            ("request", "state", "person", "project", "rendition", "purpose", "until", "agreement", "reason"),
            [
                (row.id, row.state, row.person_id, row.project_id, row.rendition_id, row.purpose, row.until,
                 row.agreement_id, row.reason)
                for row in rows
                if state in ("", row.state)
            ],
        )  # fmt: skip


@access.command("grant")
def grant(
    request: RequestId,
    until: UntilIfAny = None,
    region: Annotated[list[str] | None, typer.Option(help="Where people may sit; the project's unless given.")] = None,
    training: Annotated[list[str] | None, typer.Option(help="A course that is asked for; once for each.")] = None,
    reviewers: Annotated[int, typer.Option(help="Reviewers of each output, 1 to 3.")] = 1,
    conditions: Annotated[str, typer.Option(help="Further conditions, in words.")] = "",
    as_person: As = "",
) -> None:
    """Grant a request as a steward of the data's owner: an agreement, signed for the owner."""
    with acting(as_person) as desk:
        row = access_requests.grant_access(
            desk.db, request, until=until, regions=region or None, required_trainings=training or None,
            reviewers=reviewers, conditions=conditions, actor=desk.actor,
        )  # fmt: skip
        waits = "it is active" if row.state == "active" else f"the lead accepts with `enclave access accept {request}`"
        typer.echo(f"Request {request} is granted by {row.id}; {waits}.")


@access.command("accept")
def accept(request: RequestId, as_person: As = "") -> None:
    """Accept a grant as the project's lead, for its home."""
    with acting(as_person) as desk:
        row = access_requests.accept_access(desk.db, request, actor=desk.actor)
        typer.echo(f"{row.id} is {row.state}.")


@access.command("refuse")
def refuse(request: RequestId, reason: Reason, as_person: As = "") -> None:
    """Refuse a request as a steward of the data's owner."""
    with acting(as_person) as desk:
        access_requests.refuse_access(desk.db, request, reason=reason, actor=desk.actor)
        typer.echo(f"Request {request} is refused.")


@access.command("take-back")
def take_back(request: RequestId, as_person: As = "") -> None:
    """Take one's own request back."""
    with acting(as_person) as desk:
        access_requests.take_back(desk.db, request, actor=desk.actor)
        typer.echo(f"Request {request} is taken back.")
