"""`enclave agreement …`."""
# ruff: noqa: PLR0917 - typer calls a command with names, whatever their order

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select

from access_control import agreements, changes, renewals
from access_control.commands.common import (
    As,
    Reason,
    Start,
    StartIfAny,
    Until,
    UntilIfAny,
    acting,
    looking,
    print_rows,
)
from access_control.models import Agreement

agreement = typer.Typer(help="Agreements: drafted, signed by each party, active, ended.", no_args_is_help=True)

AgreementId = Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id, such as AGR-0001.")]
Party = typer.Option("--party", help="An organisation's id; once for each. Every owner of the data is one.")
Rendition = typer.Option("--rendition", help="Such as hiv/pseudonymised; once for each.")
Purpose = typer.Option("--purpose", help="A purpose term, such as HMB; once for each.")
Region = typer.Option("--region", help="Where people may sit, such as EU, or 'any'; once for each.")
Training = typer.Option("--training", help="A course that it asks for; once for each.")
Reviewers = typer.Option("--reviewers", help="Reviewers of each output, 1 to 3; the tier may ask for more.")
Conditions = typer.Option("--conditions", help="Further conditions, in words.")


@agreement.command("draft")
def draft(
    project: Annotated[str, typer.Argument(help="The project's id.")],
    title: Annotated[str, typer.Option(help="A title of one line.")],
    party: Annotated[list[str], Party],
    rendition: Annotated[list[str], Rendition],
    purpose: Annotated[list[str], Purpose],
    region: Annotated[list[str], Region],
    start: Start,
    until: Until,
    training: Annotated[list[str] | None, Training] = None,
    reviewers: Annotated[int, Reviewers] = 1,
    conditions: Annotated[str, Conditions] = "",
    as_person: As = "",
) -> None:
    """Draft an agreement."""
    with acting(as_person) as desk:
        row = agreements.draft_agreement(
            desk.db, title=title, project=project, parties=party, renditions=rendition, purposes=purpose,
            regions=region, start=start, until=until, required_trainings=training, reviewers=reviewers,
            conditions=conditions, actor=desk.actor,
        )  # fmt: skip
        typer.echo(f"{row.id} is drafted. Each party signs with `enclave agreement sign {row.id} PARTY`.")


@agreement.command("amend")
def amend(
    id: AgreementId,  # noqa: A002
    title: Annotated[str | None, typer.Option(help="A new title.")] = None,
    party: Annotated[list[str] | None, Party] = None,
    rendition: Annotated[list[str] | None, Rendition] = None,
    purpose: Annotated[list[str] | None, Purpose] = None,
    region: Annotated[list[str] | None, Region] = None,
    start: StartIfAny = None,
    until: UntilIfAny = None,
    training: Annotated[list[str] | None, Training] = None,
    reviewers: Annotated[int | None, Reviewers] = None,
    conditions: Annotated[str | None, Conditions] = None,
    as_person: As = "",
) -> None:
    """Change an agreement that isn't active; signatures under the old text no longer count."""
    with acting(as_person) as desk:
        agreements.amend_agreement(
            desk.db, id, title=title, parties=party or None, renditions=rendition or None, purposes=purpose or None,
            regions=region or None, start=start, until=until, required_trainings=training or None,
            reviewers=reviewers, conditions=conditions, actor=desk.actor,
        )  # fmt: skip
        typer.echo(f"{id} is changed and waits for every party's signature.")


@agreement.command("list")
def list_agreements(state: Annotated[str, typer.Option(help="Only those in this state.")] = "") -> None:
    """List the agreements."""
    with looking() as desk:
        rows = desk.db.scalars(select(Agreement).order_by(Agreement.id))
        print_rows(
            ("id", "state", "project", "parties", "renditions", "until"),
            [
                (row.id, row.state, row.project_id, ", ".join(row.parties), ", ".join(row.renditions), row.until)
                for row in rows
                if state in ("", row.state)
            ],
        )


@agreement.command("show")
def show(id: AgreementId) -> None:  # noqa: A002
    """Show the text of an agreement, its digest, its state and its signatures."""
    with looking() as desk:
        row = changes.get_agreement(desk.db, id)
        typer.echo(agreements.agreement_text(row), nl=False)
        typer.echo(f"\nSHA-256 of this text: {agreements.agreement_digest(row)}\nState: {row.state}")
        signed = agreements.signed_by(desk.db, row)
        for party in row.parties:
            typer.echo(f"{party}: signed by {signed[party]}" if party in signed else f"{party}: not signed")


@agreement.command("sign")
def sign(
    id: AgreementId,  # noqa: A002
    party: Annotated[str, typer.Argument(help="The organisation that is signed for.")],
    digest: Annotated[str, typer.Option(help="Digest of the text that you read; another text is not signed.")] = "",
    reason: Annotated[str, typer.Option(help="As <setup>: where the signature on paper is.")] = "",
    as_person: As = "",
) -> None:
    """Sign an agreement for a party; the last signature makes it active."""
    with acting(as_person) as desk:
        row = agreements.sign_agreement(
            desk.db, id, party=party, digest=digest or None, reason=reason, actor=desk.actor
        )
        typer.echo(f"{id} is signed for {party}; it is {'active' if row.state == 'active' else 'still ' + row.state}.")


@agreement.command("activate")
def activate(id: AgreementId, as_person: As = "") -> None:  # noqa: A002
    """Make a signed agreement active."""
    with acting(as_person) as desk:
        agreements.activate_agreement(desk.db, id, actor=desk.actor)
        typer.echo(f"{id} is active.")


@agreement.command("suspend")
def suspend(id: AgreementId, reason: Reason, as_person: As = "") -> None:  # noqa: A002
    """Take away at once what an agreement gives: a steward of a party, or an admin."""
    with acting(as_person) as desk:
        agreements.suspend_agreement(desk.db, id, reason=reason, actor=desk.actor)
        typer.echo(f"{id} is suspended; sessions that rest on it are stopped.")


@agreement.command("resume")
def resume(id: AgreementId, reason: Reason, as_person: As = "") -> None:  # noqa: A002
    """Make a suspended agreement active again: the side that suspended it."""
    with acting(as_person) as desk:
        agreements.resume_agreement(desk.db, id, reason=reason, actor=desk.actor)
        typer.echo(f"{id} is active again.")


@agreement.command("withdraw")
def withdraw(id: AgreementId, reason: Reason, as_person: As = "") -> None:  # noqa: A002
    """End an agreement for good: a steward of a party, or the project's lead."""
    with acting(as_person) as desk:
        agreements.withdraw_agreement(desk.db, id, reason=reason, actor=desk.actor)
        typer.echo(f"{id} is withdrawn; sessions that rest on it are stopped.")


@agreement.command("renewals")
def due(
    days: Annotated[int, typer.Option(help="Agreements that end within so many days.")] = renewals.OFFERED_DAYS,
) -> None:
    """List the agreements that end soon, and what follows each."""
    with looking() as desk:
        print_rows(
            ("agreement", "project", "until", "days left", "followed by"),
            [
                (one.agreement.id, one.agreement.project_id, one.agreement.until, one.days_left, one.renewed_by or "")
                for one in renewals.renewals_due(desk.db, days=days)
            ],
        )


@agreement.command("renew")
def renew(id: AgreementId, until: Until, as_person: As = "") -> None:  # noqa: A002
    """Draft an agreement with the same terms that follows this one."""
    with acting(as_person) as desk:
        row = renewals.renew_agreement(desk.db, id, until=until, actor=desk.actor)
        typer.echo(f"{row.id} follows {id} from {row.start} on, once every party has signed it.")


@agreement.command("expire")
def expire(as_person: As = "") -> None:
    """Close the agreements whose last day is over; the running enclave does this each day by itself."""
    with acting(as_person) as desk:
        ended = agreements.expire_agreements(desk.db, actor=desk.actor)
        typer.echo(f"Expired: {', '.join(ended) or 'none'}.")
