"""`enclave policy …` and `enclave why`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from access_control import clock, history, policy_changes
from access_control.commands.common import As, Reason, acting, looking, print_rows
from access_control.errors import Invalid
from access_control.models import PolicyRow
from access_control.policy_versions import list_versions, row_values, verify_versions
from access_control.snapshot import load_snapshot
from access_control.terms import TERMS
from access_control.validation import COLUMNS
from access_control.why import explain

policy = typer.Typer(help="The policy: rows, changes by two admins, versions, the past.", no_args_is_help=True)

ChangesFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV: change (add or remove), id, and the other columns of a row.")
]
ProposalId = Annotated[int, typer.Argument(metavar="PROPOSAL", help="A number from `enclave policy proposals`.")]
Number = Annotated[int, typer.Argument(min=0, help="A policy version; 0 is before the first.")]
DatasetId = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's id.")]


@policy.command("rows")
def rows() -> None:
    """List the rows in force."""
    with looking() as desk:
        found = [row_values(row) for row in desk.db.scalars(select(PolicyRow).order_by(PolicyRow.id))]
        print_rows(COLUMNS, [[row[name] for name in COLUMNS] for row in found])


@policy.command("terms")
def terms() -> None:
    """List the purpose terms."""
    print_rows(("id", "short name", "meaning"), [(term.id, term.code, term.label) for term in TERMS.values()])


@policy.command("check")
def check(file: ChangesFile) -> None:
    """Check a file of changes against the policy in force; every error is told, with its line."""
    with looking() as desk:
        add, remove = policy_changes.read_changes(_text(file))
        policy_changes.check_changes(desk.db, add=add, remove=remove)
        typer.echo(f"{file} is right: {len(add)} rows to add, {len(remove)} to remove.")


@policy.command("try")
def dry_run(file: ChangesFile) -> None:
    """Show what a file of changes would do, without proposing it."""
    with looking() as desk:
        add, remove = policy_changes.read_changes(_text(file))
        policy_changes.check_changes(desk.db, add=add, remove=remove)
        _show(policy_changes.preview_policy(desk.db, desk.settings.data_root, add=add, remove=remove))


@policy.command("propose")
def propose(file: ChangesFile, reason: Reason, as_person: As = "") -> None:
    """Propose the changes of a file; another admin approves."""
    with acting(as_person) as desk:
        add, remove = policy_changes.read_changes(_text(file))
        proposal = policy_changes.propose_policy(desk.db, add=add, remove=remove, reason=reason, actor=desk.actor)
        typer.echo(f"Proposed: another admin approves with `enclave policy approve {proposal.id}`.")


@policy.command("proposals")
def proposals() -> None:
    """List the changes that wait for a second admin."""
    with looking() as desk:
        print_rows(
            ("proposal", "adds", "removes", "reason", "proposed by"),
            [
                (one.id, ", ".join(row["id"] for row in one.add), ", ".join(one.remove), one.reason, one.proposed_by)
                for one in policy_changes.open_policy_proposals(desk.db)
            ],
        )


@policy.command("preview")
def preview(proposal: ProposalId) -> None:
    """Show who would gain and lose what by a proposal, and which sessions would stop."""
    with looking() as desk:
        _show(policy_changes.preview_proposal(desk.db, desk.settings.data_root, proposal))


@policy.command("approve")
def approve(proposal: ProposalId, as_person: As = "") -> None:
    """Approve a change that another admin proposed and by which you gain nothing."""
    with acting(as_person) as desk:
        version = policy_changes.approve_policy(desk.db, desk.settings.data_root, proposal, actor=desk.actor)
        typer.echo(f"In force as version {version.number}, {version.digest}.")


@policy.command("refuse")
def refuse(proposal: ProposalId, reason: Reason, as_person: As = "") -> None:
    """Refuse a change."""
    with acting(as_person) as desk:
        policy_changes.refuse_policy(desk.db, proposal, reason=reason, actor=desk.actor)
        typer.echo(f"Policy proposal {proposal} is refused.")


@policy.command("withdraw")
def withdraw(
    data: Annotated[str, typer.Argument(help="A dataset (hiv) or a rendition (hiv/pseudonymised).")],
    reason: Reason,
    as_person: As = "",
) -> None:
    """Take data away from everyone, at once: a steward of its owner, alone."""
    with acting(as_person) as desk:
        row = policy_changes.withdraw_dataset(desk.db, data, reason=reason, actor=desk.actor)
        typer.echo(f"{data} is withdrawn by {row.id}; sessions that have it mounted are stopped.")


@policy.command("lift")
def lift(
    row: Annotated[str, typer.Argument(help="The withdrawal, such as WDR-0001.")], reason: Reason, as_person: As = ""
) -> None:
    """Ask, as a steward of the owner, that a withdrawal be lifted; an admin approves."""
    with acting(as_person) as desk:
        proposal = policy_changes.lift_withdrawal(desk.db, row, reason=reason, actor=desk.actor)
        typer.echo(f"Proposed: an admin approves with `enclave policy approve {proposal.id}`.")


@policy.command("versions")
def versions() -> None:
    """List every version of the policy that was ever in force."""
    with looking() as desk:
        print_rows(
            ("version", "at", "digest", "reason", "by", "approved by"),
            [
                (one.number, one.at.isoformat(), one.digest, one.reason, one.proposed_by, one.approved_by)
                for one in list_versions(desk.db)
            ],
        )


@policy.command("verify")
def verify() -> None:
    """Verify the chain of versions and that the rows in force are the last one's; exit status 1 when not."""
    with looking() as desk:
        if problems := verify_versions(desk.db):
            raise Invalid("\n".join(problems))
        typer.echo(f"The chain of {len(list_versions(desk.db))} versions holds.")


@policy.command("diff")
def diff(a: Number, b: Number) -> None:
    """Show what changed from one version to another."""
    with looking() as desk:
        found = history.policy_diff(desk.db, a, b)
        for row in found.removed:
            typer.echo("- " + ", ".join(row.values()))
        for row in found.added:
            typer.echo("+ " + ", ".join(row.values()))
        for before, after in found.changed:
            moved = [f"{name}: {before[name]} → {after[name]}" for name in before if before[name] != after[name]]
            typer.echo(f"~ {before['id']}: " + "; ".join(moved))


@policy.command("who-could")
def who_could(
    dataset: DatasetId,
    at: Annotated[str, typer.Option(help="A moment, such as 2026-06-01T12:00 (UTC); now when left out.")] = "",
) -> None:
    """Show who could mount the dataset at a moment, in which project and by which row."""
    with looking() as desk:
        moment = _moment(at) if at else clock.now()
        found = history.who_could(desk.db, dataset, moment, data_root=desk.settings.data_root)
        print_rows(
            ("person", "project", "rendition", "row", "agreement"),
            [(one.person, one.project, one.rendition, one.row_id, one.agreement_id) for one in found],
        )


@policy.command("accesses")
def accesses(
    dataset: DatasetId,
    since: Annotated[str, typer.Option(help="Only sessions that ran after this moment.")] = "",
    until: Annotated[str, typer.Option(help="Only sessions that began before this moment.")] = "",
) -> None:
    """Show every session that had the dataset mounted: who, when, which version, under which agreement."""
    with looking() as desk:
        found = history.accesses(
            desk.db, dataset, since=_moment(since) if since else None, until=_moment(until) if until else None
        )
        print_rows(
            ("person", "project", "rendition", "version", "agreement", "from", "until", "session"),
            [
                (one.person, one.project, one.rendition, one.version, one.agreement_id, one.started_at.isoformat(),
                 one.ended_at.isoformat() if one.ended_at else "still running", one.session)
                for one in found
            ],
        )  # fmt: skip


def why(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    project: Annotated[str, typer.Argument(help="The project's id.")],
    data: Annotated[str, typer.Argument(help="A dataset (hiv) or a rendition (hiv/pseudonymised).")],
) -> None:
    """Say why a person may or may not see data in a project today, and who can change that."""
    with looking() as desk:
        snapshot = load_snapshot(desk.db, desk.settings.data_root)
        for sentence in explain(snapshot, person, project, data, clock.today()):
            typer.echo(sentence)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} cannot be read: {error}. It must be a CSV file in UTF-8.") from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"'{text}' is no moment. Write it as 2026-06-01T12:00, in UTC, or with its zone.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _show(found: policy_changes.Preview) -> None:
    for mark, listed in (("+", found.gains), ("-", found.losses)):
        for one in listed:
            typer.echo(f"{mark} {one.person} in {one.project}: {one.rendition}, from {one.day}: {one.reason}")
    for session, person, project in found.stopped:
        typer.echo(f"! session {session} of {person} in {project} would stop")
    if not (found.gains or found.losses or found.stopped):
        typer.echo("Nobody gains or loses anything.")
