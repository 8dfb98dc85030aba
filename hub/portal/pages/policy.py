"""The policy: its rows, proposals with a preview of who gains and loses what, and what changed between versions."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from access_control import history, policy_changes
from access_control.errors import Invalid, NotFound
from access_control.models import PolicyProposal, PolicyRow
from access_control.policy_versions import list_versions
from access_control.validation import COLUMNS
from hub.portal.context import FormOf, Portal, PortalOf, VisitorOf
from hub.portal.going import go
from hub.portal.numbers import Number
from hub.portal.pages.people import check_duty
from hub.portal.rendering import page, part

router = APIRouter(prefix="/policy")
TITLES = {"id": "Row", "eft": "Effect", "role": "Role", "project": "Project", "data": "Data", "act": "Act",
          "purpose": "Purpose", "region": "Region", "start": "From", "until": "Until", "training": "Training",
          "agreement": "Agreement"}  # fmt: skip


@router.get("")
def policy(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """The rows in force, the open proposals, the versions, and the form to propose."""
    check_duty(portal, visitor, "administer", "audit")
    with portal.reading() as db:
        return page(
            request,
            "policy.html",
            title="Policy",
            rows=list(db.scalars(select(PolicyRow).order_by(PolicyRow.id))),
            proposals=list(db.scalars(select(PolicyProposal).order_by(PolicyProposal.id.desc()).limit(30))),
            versions=list_versions(db)[::-1],
            columns=COLUMNS,
            snapshot=portal.snapshot(),
        )


@router.post("/preview")
def preview(request: Request, portal: PortalOf, visitor: VisitorOf, form: FormOf) -> Response:
    """Who would gain and lose what, and which sessions would stop; nothing is kept."""
    check_duty(portal, visitor, "administer")
    add, remove = policy_changes.read_changes(form.text("changes"))
    with portal.reading() as db:
        shown = policy_changes.preview_policy(db, portal.settings.data_root, add=add, remove=remove)
        return part(request, "policy_preview.html", title="What the change would do", back="policy", preview=shown)


@router.post("/propose")
def propose(portal: PortalOf, visitor: VisitorOf, form: FormOf) -> Response:
    """Keeps a change for a second admin."""
    add, remove = policy_changes.read_changes(form.text("changes"))
    with portal.writing() as db:
        row = policy_changes.propose_policy(db, add=add, remove=remove, reason=form.text("reason"), actor=visitor.id)
    return go(portal, visitor, f"policy/proposals/{row.id}", "Proposed. It is in force once another admin approves it.")


@router.get("/proposals/{proposal_id}")
def proposal(request: Request, portal: PortalOf, visitor: VisitorOf, proposal_id: Number) -> Response:
    """A proposal with its preview, as the second admin sees it."""
    check_duty(portal, visitor, "administer", "audit")
    with portal.reading() as db:
        row = db.get(PolicyProposal, proposal_id)
        if row is None:
            raise NotFound("There is no such proposal.")
        shown = None
        if row.state == "proposed":
            shown = policy_changes.preview_proposal(db, portal.settings.data_root, proposal_id)
        return page(
            request,
            "policy_proposal.html",
            title=f"Proposal {row.id}",
            proposal=row,
            preview=shown,
            columns=COLUMNS,
            titles=TITLES,
        )


@router.post("/proposals/{proposal_id}/{answer}")
def decide(portal: PortalOf, visitor: VisitorOf, form: FormOf, proposal_id: Number, answer: str) -> Response:
    """Puts a proposal in force, or refuses it."""
    return go(
        portal, visitor, "policy", decide_proposal(portal, visitor.id, proposal_id, answer, form.text("reason", ""))
    )


def decide_proposal(portal: Portal, actor: str, proposal_id: int, answer: str, reason: str) -> str:
    """Approves or refuses a proposed change and says what happened."""
    with portal.writing() as db:
        if answer == "approve":
            version = policy_changes.approve_policy(db, portal.settings.data_root, proposal_id, actor=actor)
            return f"Approved: version {version.number} is in force. Running sessions are being decided again."
        if answer == "refuse":
            policy_changes.refuse_policy(db, proposal_id, reason=reason, actor=actor)
            return "Refused. The policy is as it was."
    raise Invalid(f"{answer!r} is no answer to a proposal.")


@router.get("/diff")
def diff(request: Request, portal: PortalOf, visitor: VisitorOf, a: int, b: int) -> Response:
    """What changed from version `a` to version `b`."""
    check_duty(portal, visitor, "administer", "audit")
    with portal.reading() as db:
        changed = history.policy_diff(db, a, b)
        return page(request, "policy_diff.html", title=f"Policy {a} to {b}", diff=changed, a=a, b=b, columns=COLUMNS)
