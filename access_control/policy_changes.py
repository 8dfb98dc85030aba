"""Changes of policy: checked, previewed, approved by a second admin, in force. The owner's withdrawal is one person's.

Rows that agreements made (`AGR-`) live and die with them, and an owner's withdrawals (`WDR-`) are lifted only when the
owner asks for it: neither is an admin's to change.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import changes, clock
from access_control.audit import Act
from access_control.errors import Invalid, NotFound, NotPermitted
from access_control.models import FOREVER, Organisation, PolicyProposal, PolicyRow, PolicyVersion, Role
from access_control.policy_preview import MEMBERS, MountChange, Preview, preview_policy, typed_row
from access_control.policy_versions import row_values, write_version
from access_control.rows import NO_AGREEMENT
from access_control.snapshot import Snapshot, load_snapshot
from access_control.validation import COLUMNS, check_rows

__all__ = [
    "MountChange", "Preview", "approve_policy", "check_changes", "get_proposal", "lift_withdrawal",
    "open_policy_proposals", "policy_row", "preview_policy", "preview_proposal", "propose_policy", "read_changes",
    "refuse_policy", "withdraw_dataset",
]  # fmt: skip

RESERVED: dict[str, str] = {
    "AGR-": "belongs to an agreement: amend, suspend or withdraw the agreement instead",
    "WDR-": "is an owner's withdrawal: a steward of the owner asks for it to be lifted with `enclave policy lift`",
    "STANDING-": "is part of the enclave itself, and changes with a reviewed release of it",
}


def read_changes(text: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Reads a CSV of changes: (rows to add, ids to remove).

    The header is `change` and the columns of a row; `change` is `add` or `remove`, and `remove` needs the id alone.
    `purpose`, `region` and `training` may be empty for `any`. Raises Invalid with every error and its line.
    """
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), restkey="more")
    known, found = {"change", *COLUMNS}, set(reader.fieldnames or ())
    if not {"change", "id"} <= found or found - known:
        raise Invalid(f"line 1: the header must have the columns change and id, and may have {', '.join(COLUMNS[1:])}.")
    add: list[dict[str, Any]] = []
    remove: list[str] = []
    errors: list[str] = []
    for line, raw in enumerate(reader, start=2):
        if "more" in raw:
            errors.append(f"line {line}: more values than the header has columns; quote a value that has a comma")
            continue
        values = {name: (value or "").strip() for name, value in raw.items()}
        change = values.pop("change")
        if change == "remove":
            remove.append(values["id"])
        elif change == "add":
            values = {"purpose": "any", "region": "any", **{name: value for name, value in values.items() if value}}
            add.append(values)
            errors.extend(error.replace("line 1:", f"line {line}:", 1) for error in check_rows([values]))
        else:
            errors.append(f"line {line}: change '{change}' must be 'add' or 'remove'")
    if errors:
        raise Invalid("\n".join(errors))
    return add, remove


def check_changes(db: Session, *, add: list[dict[str, Any]], remove: list[str]) -> None:
    """Raises Invalid or NotFound, with every error, when the change can't be made to the policy in force."""
    if not add and not remove:
        raise Invalid("The change adds no row and removes none: there is nothing to propose.")
    there = set(db.scalars(select(PolicyRow.id)))
    errors = check_rows(add, taken=there - set(remove))
    ids = [str(row.get("id", "")) for row in add]
    errors.extend(f"{row.get('id')}: only an agreement makes rows of its own; leave that column out." for row in add
                  if "agreement_id" in row or row.get("agreement", NO_AGREEMENT) != NO_AGREEMENT)  # fmt: skip
    for row_id in (*ids, *remove):
        errors.extend(f"{row_id} {why}." for prefix, why in RESERVED.items() if row_id.startswith(prefix))
    errors.extend(f"{row_id} is no row of the policy in force: it cannot be removed." for row_id in remove
                  if row_id not in there)  # fmt: skip
    if errors:
        raise Invalid("\n".join(errors))


def propose_policy(
    db: Session, *, add: list[dict[str, Any]], remove: list[str], reason: str, actor: str
) -> PolicyProposal:
    """Proposes rows to add (by column) and ids to remove; nothing is in force before another admin approves."""
    changes.require(db, actor, "administer", to="propose a change of policy")
    check_changes(db, add=add, remove=remove)
    rows = [{name: str(value) for name, value in row.items()} for row in add]
    return _propose(db, rows, sorted(set(remove)), reason, actor)


def get_proposal(db: Session, proposal_id: int) -> PolicyProposal:
    """The proposal of that number; raises NotFound."""
    proposal = db.get(PolicyProposal, proposal_id)
    if proposal is None:
        raise NotFound(f"There is no policy proposal {proposal_id}. `enclave policy proposals` shows those that wait.")
    return proposal


def open_policy_proposals(db: Session) -> list[PolicyProposal]:
    """The proposals that wait for a second admin, the oldest first."""
    found = select(PolicyProposal).where(PolicyProposal.state == "proposed").order_by(PolicyProposal.id)
    return list(db.scalars(found))


def preview_proposal(db: Session, data_root: Path, proposal_id: int) -> Preview:
    """The preview of a proposal that waits."""
    proposal = get_proposal(db, proposal_id)
    return preview_policy(db, data_root, add=proposal.add, remove=proposal.remove)


def approve_policy(db: Session, data_root: Path, proposal_id: int, *, actor: str) -> PolicyVersion:
    """Puts a proposal in force. Refused to its proposer, and where approver or proposer gain by it."""
    proposal = _open(db, proposal_id)
    changes.require(db, actor, "administer", to="approve this change of policy", author=proposal.proposed_by)
    lifted = [row_id for row_id in proposal.remove if row_id.startswith("WDR-")]
    if lifted:
        _check_owner_asks(db, lifted, proposal.proposed_by)
    else:
        check_changes(db, add=proposal.add, remove=proposal.remove)
    for person in (actor, proposal.proposed_by):
        _check_no_gain(db, data_root, proposal, person)
    preview = preview_policy(db, data_root, add=proposal.add, remove=proposal.remove)
    for row_id in proposal.remove:
        db.delete(db.get_one(PolicyRow, row_id))
    db.flush()
    for row in proposal.add:
        db.add(policy_row(row))
    proposal.state, proposal.decided_by, proposal.decided_at = "approved", actor, clock.now()
    version = write_version(db, reason=proposal.reason, proposed_by=proposal.proposed_by, approved_by=actor)
    told = {
        "version": version.number, "digest": version.digest, "gains": len(preview.gains),
        "losses": len(preview.losses), "stopped": [session for session, _, _ in preview.stopped],
    }  # fmt: skip
    changes.note(db, Act.PolicyApproved, actor=actor, subject=f"policy-proposal:{proposal_id}", details=told)
    return version


def refuse_policy(db: Session, proposal_id: int, *, reason: str, actor: str) -> PolicyProposal:
    """Refuses a proposal with a reason; its proposer may take it back this way too."""
    why = changes.said(reason)
    proposal = _open(db, proposal_id)
    if actor != proposal.proposed_by:
        changes.require(db, actor, "administer", to="refuse a change of policy")
    proposal.state, proposal.decided_by, proposal.decided_at = "refused", actor, clock.now()
    db.flush()
    subject = f"policy-proposal:{proposal_id}"
    changes.note(db, Act.PolicyRefused, actor=actor, subject=subject, details={"reason": why})
    return proposal


def withdraw_dataset(db: Session, data: str, *, reason: str, actor: str) -> PolicyRow:
    """The owner takes a dataset (`hiv`) or one rendition (`hiv/pseudonymised`) away from everyone, at once.

    A steward of the owner does it alone, for it only takes away: a deny row, which wins over every allow row.
    """
    rendition = changes.get_rendition(db, data) if "/" in data else None
    dataset = changes.get_dataset(db, rendition.dataset_id if rendition else data)
    changes.require(db, actor, "steward", to=f"withdraw {data}", owner=dataset.owner_id)
    why = changes.said(reason)
    changes.queue(db)
    standing = db.scalars(select(PolicyRow.id).where(PolicyRow.eft == "deny", PolicyRow.data == f"data:{data}"))
    if row_id := next((row_id for row_id in standing if row_id.startswith("WDR-")), None):
        raise Invalid(f"{data} is withdrawn already, by {row_id}.")
    row = PolicyRow(
        id=_next_withdrawal(db), eft="deny", role="anyone", project="any", data=f"data:{data}", act="mount",
        purpose="any", region="any", start=clock.today(), until=FOREVER, training="any", agreement_id=None,
    )  # fmt: skip
    if errors := check_rows([row_values(row)]):
        raise Invalid("\n".join(errors))
    db.add(row)
    version = write_version(db, reason=why, proposed_by=actor, approved_by=None)
    told = {"row": row.id, "reason": why, "version": version.number, "digest": version.digest}
    changes.note(db, Act.AgreementWithdrawn, actor=actor, subject=f"data:{data}", details=told)
    return row


def lift_withdrawal(db: Session, row_id: str, *, reason: str, actor: str) -> PolicyProposal:
    """A steward of the owner asks that a withdrawal be lifted; an admin's approval gives access back."""
    row = db.get(PolicyRow, row_id)
    if row is None or not row_id.startswith("WDR-"):
        raise NotFound(f"'{row_id}' is no withdrawal in force. `enclave policy rows` shows them, as WDR-nnnn.")
    changes.require(db, actor, "steward", to=f"lift {row_id}", owner=_owner_of(db, row))
    return _propose(db, [], [row_id], reason, actor)


def policy_row(values: Mapping[str, Any]) -> PolicyRow:
    """The table row of a row by column; the caller has checked it with `check_rows`."""
    typed = typed_row(values)
    agreement = typed.pop("agreement")
    return PolicyRow(agreement_id=None if agreement == NO_AGREEMENT else agreement, **typed)


def _propose(
    db: Session, add: list[dict[str, Any]], remove: list[str], reason: str, actor: str
) -> PolicyProposal:  # fmt: skip
    proposal = PolicyProposal(
        add=add, remove=remove, reason=changes.said(reason), state="proposed", proposed_by=actor,
        proposed_at=clock.now(),
    )  # fmt: skip
    db.add(proposal)
    db.flush()
    subject = f"policy-proposal:{proposal.id}"
    told = {"add": add, "remove": remove, "reason": proposal.reason}
    changes.note(db, Act.PolicyProposed, actor=actor, subject=subject, details=told)
    return proposal


def _open(db: Session, proposal_id: int) -> PolicyProposal:
    changes.queue(db)
    proposal = get_proposal(db, proposal_id)
    if proposal.state != "proposed":
        raise Invalid(f"Policy proposal {proposal_id} was {proposal.state} by {proposal.decided_by} already.")
    return proposal


def _check_no_gain(db: Session, data_root: Path, proposal: PolicyProposal, person: str) -> None:
    """Whoever is or will be a member of a project that the change opens something for gains by it, whatever their tier
    is today; so does who gains a duty.
    """
    domains = set(
        db.scalars(select(Role.domain).where(
            Role.person_id == person, Role.role.in_(MEMBERS), Role.until >= clock.today()
        ))
    )  # fmt: skip
    removed = [row_values(db.get_one(PolicyRow, row_id)) for row_id in proposal.remove]
    opening = [row for row in proposal.add if row["eft"] == "allow"] + [row for row in removed if row["eft"] == "deny"]
    for row in opening:
        mine = domains if row["project"] == "any" else domains & set(row["project"].split("|"))
        if mine:
            raise NotPermitted(
                f"{person} is a member of {min(mine)}, for which {row['id']} opens something. Nobody proposes or "
                "approves what they gain by themselves: two admins who don't have to do it."
            )
    before = load_snapshot(db, data_root)
    after = before.with_rows(add=[typed_row(row) for row in proposal.add], remove=proposal.remove)
    owners = sorted(db.scalars(select(Organisation.id)))
    if gained := _duties(after, person, owners) - _duties(before, person, owners):
        raise NotPermitted(f"{person} would gain the duty {min(gained)[0]} by this. Two other admins have to do it.")


def _duties(snapshot: Snapshot, person: str, owners: Iterable[str]) -> set[tuple[str, str]]:
    today = clock.today()
    held = {(act, "") for act in ("administer", "audit", "seed") if snapshot.may(person, act, today).allowed}
    for owner in owners:
        for act in ("review", "lead-review", "steward"):
            if snapshot.may(person, act, today, owner=owner).allowed:
                held.add((act, owner))
    return held


def _check_owner_asks(db: Session, row_ids: list[str], proposer: str) -> None:
    for row_id in row_ids:
        row = db.get(PolicyRow, row_id)
        if row is None:
            raise NotFound(f"{row_id} is not in force any more.")
        changes.require(db, proposer, "steward", to=f"lift {row_id}", owner=_owner_of(db, row))


def _owner_of(db: Session, row: PolicyRow) -> str:
    return changes.get_dataset(db, row.data.removeprefix("data:").partition("/")[0]).owner_id


def _next_withdrawal(db: Session) -> str:
    """The next `WDR-nnnn`; a number once used stays used, after the withdrawal was lifted too."""
    ids = [row_id for row_id in db.scalars(select(PolicyRow.id)) if row_id.startswith("WDR-")]
    for removed in db.scalars(select(PolicyProposal.remove)):
        ids.extend(row_id for row_id in removed if row_id.startswith("WDR-"))
    return f"WDR-{max((int(row_id.removeprefix('WDR-')) for row_id in ids), default=0) + 1:04d}"
