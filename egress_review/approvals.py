"""What an approval signs, and whether the approvals of a file still make its quorum. The gate trusts nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from access_control import audit, clock
from access_control.settings import Settings
from egress_review.errors import Refused
from egress_review.models import ReleaseRequest, RequestFile, Vote
from egress_review.records import ballots, counted_votes
from egress_review.signing import key_id, reviewer_public, verify
from egress_review.trusted_path import needed_for
from egress_review.voting import Verdict, outcome


def facts_signed(request: ReleaseRequest, file: RequestFile) -> dict[str, Any]:
    """What every reviewer of the file signs, whoever they are: that which must not change afterwards."""
    return {
        "what": "enclave approval, version 1",
        "request": request.id,
        "project": request.project_id,
        "author": request.author_id,
        "direction": request.direction,
        "file": file.name,
        "sha256": file.sha256,
        "size": file.size,
        "rewrite_sha256": file.rewrite_sha256,
        "leaves_as": file.rewrite_name,
        "context_sha256": hashlib.sha256(file.context.encode()).hexdigest(),
        "findings_digest": file.findings_digest,
        "verdict_of_checks": file.verdict,
        "rules_version": file.rules_version,
    }


def payload_for(
    request: ReleaseRequest,
    file: RequestFile,
    *,
    needed: int,
    reviewer: str,
    sides: Sequence[str],
    reason: str,
    policy_digest: str,
) -> str:
    """The text that a reviewer signs to approve the file, canonical JSON."""
    return audit.canonical(
        {
            **facts_signed(request, file),
            "turn": file.turn,
            "reviewer": reviewer,
            "sides": sorted(sides),
            "quorum": needed,
            "owners": sorted(request.owners),
            "reason": reason,
            "policy_digest": policy_digest,
            "at": clock.now().isoformat(),
        }
    )


def check_signature(settings: Settings, request: ReleaseRequest, file: RequestFile, vote: Vote, needed: int) -> None:
    """Raises Refused unless the approval is signed by its reviewer over exactly this file and its quorum.

    A vote row that says more sides, or a request that now asks for fewer people or owners than was signed, is refused.
    """
    whose = f"{vote.reviewer_id} under {file.name}"
    public = reviewer_public(settings, vote.reviewer_id)
    if vote.key_id != key_id(public):
        raise Refused(f"The approval of {whose} was signed with another key than theirs.")
    verify(public, vote.payload, vote.signature, whose)
    signed = json.loads(vote.payload)
    wanted = {
        **facts_signed(request, file),
        "reviewer": vote.reviewer_id,
        "sides": sorted(vote.sides),
        "reason": vote.reason,
        "turn": vote.turn,
    }
    differing = sorted(name for name, value in wanted.items() if signed.get(name) != value)
    if differing:
        raise Refused(f"What {whose} signed is not what is there now: {', '.join(differing)} differ.")
    if not file.since_turn <= vote.turn <= file.turn:
        raise Refused(f"The approval of {whose} is of turn {vote.turn}, before the file changed.")
    if signed["quorum"] > needed or not set(signed["owners"]) <= set(request.owners):
        raise Refused(f"The approval of {whose} asked for more reviewers than are asked for now.")


def check_approved(db: Session, settings: Settings, request: ReleaseRequest, file: RequestFile) -> list[Vote]:
    """The signed approvals of a file; raises Refused unless they verify and make its quorum."""
    if request.author_id in (votes := {vote.reviewer_id: vote for vote in counted_votes(db, file)}):
        raise Refused(f"{file.name} was approved by its own author.")
    needed = needed_for(settings, request, file)
    result = outcome(ballots(list(votes.values())), needed, request.owners)
    if result.verdict is not Verdict.Approve:
        raise Refused(f"{file.name} does not have the approvals that it needs ({needed}).")
    approvals = [vote for vote in votes.values() if vote.verdict == Verdict.Approve]
    for vote in approvals:
        check_signature(settings, request, file, vote, needed)
    return approvals
