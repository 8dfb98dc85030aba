"""`enclave organisation …` and `enclave person …`."""
# ruff: noqa: PLR0917 - typer calls a command with names, whatever their order

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select

from access_control import changes, clock, grants, people
from access_control.changes import SETUP
from access_control.commands.common import As, Desk, Reason, Source, Start, Until, acting, looking, print_rows
from access_control.models import Clearance, GrantProposal, Organisation, Person, Role, Training

organisation = typer.Typer(help="The parties: owners of data and homes of researchers.", no_args_is_help=True)
person = typer.Typer(help="People: tier, trainings, roles. What gives access takes two admins.", no_args_is_help=True)

PersonId = Annotated[str, typer.Argument(metavar="PERSON", help="The person's id.")]
ProposalId = Annotated[int, typer.Argument(metavar="PROPOSAL", help="A number from `enclave person proposals`.")]
Level = Annotated[int, typer.Argument(help="Tier, 0 (open) to 4 (highly restricted).")]
RoleName = Annotated[str, typer.Argument(metavar="ROLE", help=f"One of {', '.join(people.ROLES)}.")]
Domain = Annotated[str, typer.Argument(help="project:ID, owner:ORGANISATION, or '*' for admin and auditor.")]


@organisation.command("add")
def add_organisation(
    id: Annotated[str, typer.Argument(help="Its id, such as acme.")],  # noqa: A002
    title: Annotated[str, typer.Option(help="Its name.")],
    region: Annotated[str, typer.Option(help="Where it is, such as EU or UK.")],
    as_person: As = "",
) -> None:
    """Add an organisation."""
    with acting(as_person) as desk:
        people.add_organisation(desk.db, id=id, title=title, region=region, actor=desk.actor)
        typer.echo(f"Organisation {id} is added.")


@organisation.command("list")
def list_organisations() -> None:
    """List the organisations."""
    with looking() as desk:
        rows = desk.db.scalars(select(Organisation).order_by(Organisation.id))
        print_rows(("id", "title", "region"), [(row.id, row.title, row.region) for row in rows])


@person.command("add")
def add_person(
    id: Annotated[str, typer.Argument(help="Their id, such as ana: the name at login.")],  # noqa: A002
    name: Annotated[str, typer.Option(help="Their name.")],
    email: Annotated[str, typer.Option(help="Their address.")],
    affiliation: Annotated[str, typer.Option(help="Their organisation's id.")],
    region: Annotated[str, typer.Option(help="Where they sit, such as EU or UK.")],
    subject: Annotated[str, typer.Option(help="The login provider's own, unchanging name for them.")] = "",
    as_person: As = "",
) -> None:
    """Add a person, who sees nothing until a clearance and a role are granted."""
    with acting(as_person) as desk:
        people.add_person(
            desk.db, id=id, name=name, email=email, affiliation=affiliation, region=region, subject=subject or None,
            actor=desk.actor,
        )  # fmt: skip
        typer.echo(f"{id} is added.")


@person.command("list")
def list_people() -> None:
    """List the people, with their tier of today."""
    with looking() as desk:
        today = clock.today()
        held = select(Clearance).where(Clearance.start <= today, Clearance.until >= today)
        levels = {row.person_id: row.level for row in desk.db.scalars(held)}
        rows = desk.db.scalars(select(Person).order_by(Person.id))
        print_rows(
            ("id", "name", "affiliation", "region", "tier", "suspended"),
            [
                (row.id, row.name, row.affiliation, row.region, levels.get(row.id, 0), "yes" if row.suspended else "no")
                for row in rows
            ],
        )


@person.command("show")
def show_person(id: PersonId) -> None:  # noqa: A002
    """Show what is on record of a person: clearances, trainings and roles with their dates and sources."""
    with looking() as desk:
        row = changes.get_person(desk.db, id)
        typer.echo(f"{row.id}: {row.name}, {row.affiliation}, {row.region}{', suspended' if row.suspended else ''}")
        clearances = desk.db.scalars(select(Clearance).where(Clearance.person_id == id).order_by(Clearance.start))
        trainings = desk.db.scalars(select(Training).where(Training.person_id == id).order_by(Training.start))
        roles = desk.db.scalars(select(Role).where(Role.person_id == id).order_by(Role.start))
        facts = [("clearance", one.id, str(one.level), one.start, one.until, one.source) for one in clearances]
        facts += [("training", one.id, one.course, one.start, one.until, one.source) for one in trainings]
        facts += [("role", one.id, f"{one.role} in {one.domain}", one.start, one.until, one.source) for one in roles]
        print_rows(("fact", "number", "what", "from", "until", "source"), facts)


@person.command("change")
def change_person(
    id: PersonId,  # noqa: A002
    reason: Reason,
    name: Annotated[str | None, typer.Option(help="Their new name.")] = None,
    email: Annotated[str | None, typer.Option(help="Their new address.")] = None,
    affiliation: Annotated[str | None, typer.Option(help="Their new organisation's id.")] = None,
    region: Annotated[str | None, typer.Option(help="Where they sit now.")] = None,
    as_person: As = "",
) -> None:
    """Change what is known of a person; nobody changes their own record."""
    with acting(as_person) as desk:
        people.change_person(
            desk.db, id, name=name, email=email, affiliation=affiliation, region=region, reason=reason,
            actor=desk.actor,
        )  # fmt: skip
        typer.echo(f"{id} is changed.")


@person.command("suspend")
def suspend(id: PersonId, reason: Reason, as_person: As = "") -> None:  # noqa: A002
    """Take everything away from a person, at once: one admin is enough."""
    with acting(as_person) as desk:
        people.suspend_person(desk.db, id, reason=reason, actor=desk.actor)
        typer.echo(f"{id} is suspended; their sessions are stopped.")


@person.command("reinstate")
def reinstate(id: PersonId, reason: Reason, as_person: As = "") -> None:  # noqa: A002
    """Propose that a suspended person gets back what they had; another admin approves."""
    with acting(as_person) as desk:
        _settle(desk, grants.propose_reinstatement(desk.db, id, reason=reason, actor=desk.actor))


@person.command("clearance")
def clearance(
    id: PersonId, level: Level, start: Start, until: Until, source: Source,  # noqa: A002
    replace: Annotated[bool, typer.Option("--replace", help="End clearances that overlap with it.")] = False,
    as_person: As = "",
) -> None:  # fmt: skip
    """Propose a clearance, which another admin approves; as <setup>, set it."""
    with acting(as_person) as desk:
        proposal = grants.propose_clearance(
            desk.db, id, level=level, start=start, until=until, source=source, actor=desk.actor, replace=replace
        )
        _settle(desk, proposal)


@person.command("lower")
def lower(id: PersonId, level: Level, reason: Reason, as_person: As = "") -> None:  # noqa: A002
    """Lower a clearance from today on: one admin is enough."""
    with acting(as_person) as desk:
        people.lower_clearance(desk.db, id, level=level, reason=reason, actor=desk.actor)
        typer.echo(f"{id} has clearance {level} from today on; sessions that this no longer covers are stopped.")


@person.command("training")
def training(
    id: PersonId,  # noqa: A002
    course: Annotated[str, typer.Argument(help="The course's id, such as gdpr-2026.")],
    start: Start, until: Until, source: Source, as_person: As = "",
) -> None:  # fmt: skip
    """Record that a person passed a course; nobody records their own."""
    with acting(as_person) as desk:
        people.record_training(desk.db, id, course=course, start=start, until=until, source=source, actor=desk.actor)
        typer.echo(f"{course} is recorded for {id} until {until}.")


@person.command("withdraw-training")
def withdraw_training(
    number: Annotated[int, typer.Argument(help="The training's number from `enclave person show`.")],
    reason: Reason, as_person: As = "",
) -> None:  # fmt: skip
    """Take a training record away that should not have been made."""
    with acting(as_person) as desk:
        people.withdraw_training(desk.db, number, reason=reason, actor=desk.actor)
        typer.echo(f"Training record {number} is withdrawn.")


@person.command("role")
def role(
    id: PersonId, role: RoleName, domain: Domain, start: Start, until: Until, source: Source, as_person: As = ""  # noqa: A002
) -> None:  # fmt: skip
    """Propose a role, which another admin approves; as <setup>, grant it. Membership of a project is a role."""
    with acting(as_person) as desk:
        proposal = grants.propose_role(
            desk.db, id, role=role, domain=domain, start=start, until=until, source=source, actor=desk.actor
        )
        _settle(desk, proposal)


@person.command("remove-role")
def remove_role(id: PersonId, role: RoleName, domain: Domain, reason: Reason, as_person: As = "") -> None:  # noqa: A002
    """End a role at once: one admin is enough, or the person themselves."""
    with acting(as_person) as desk:
        people.remove_role(desk.db, id, role=role, domain=domain, reason=reason, actor=desk.actor)
        typer.echo(f"{id} is not {role} in {domain} any more.")


@person.command("proposals")
def proposals() -> None:
    """List the clearances, roles and reinstatements that wait for a second admin."""
    with looking() as desk:
        print_rows(
            ("proposal", "for", "what", "details", "proposed by"),
            [
                (
                    one.id,
                    one.person_id,
                    one.kind,
                    ", ".join(f"{k} {v}" for k, v in one.details.items()),
                    one.proposed_by,
                )
                for one in grants.open_proposals(desk.db)
            ],
        )


@person.command("approve")
def approve(proposal: ProposalId, as_person: As = "") -> None:
    """Approve a proposal of another admin for someone else."""
    with acting(as_person) as desk:
        approved = grants.approve_grant(desk.db, proposal, actor=desk.actor)
        typer.echo(f"Proposal {proposal} is in force: {approved.kind} for {approved.person_id}.")


@person.command("refuse")
def refuse(proposal: ProposalId, reason: Reason, as_person: As = "") -> None:
    """Refuse a proposal."""
    with acting(as_person) as desk:
        grants.refuse_grant(desk.db, proposal, reason=reason, actor=desk.actor)
        typer.echo(f"Proposal {proposal} is refused.")


def _settle(desk: Desk, proposal: GrantProposal) -> None:
    """The installation itself needs no second admin: in the beginning there is none."""
    if desk.actor == SETUP:
        grants.approve_grant(desk.db, proposal.id, actor=desk.actor)
        typer.echo(f"In force: {proposal.kind} for {proposal.person_id}.")
    else:
        typer.echo(f"Proposed: another admin approves with `enclave person approve {proposal.id}`.")
