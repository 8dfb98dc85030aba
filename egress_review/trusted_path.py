"""The trusted path, off unless `egress.trusted_path` is set: one reviewer for a rounded table that all checks pass.

A sample of what would take it is reviewed in full all the same, chosen by the file's hash so that nobody can choose.
"""

from __future__ import annotations

import hashlib

from access_control.settings import Settings
from egress_review.models import ReleaseRequest, RequestFile


def sampled(settings: Settings, file: RequestFile) -> bool:
    """Whether the file is of the sample that is reviewed in full."""
    drawn = int(hashlib.sha256(f"{file.request_id} {file.sha256}".encode()).hexdigest()[:8], 16) / 16**8
    return drawn < settings.egress.trusted_sample


def fits(settings: Settings, request: ReleaseRequest, file: RequestFile) -> bool:
    """Whether the file may take the trusted path: allowed by the settings, outward, every check passed, counts
    rounded.
    """
    return (
        settings.egress.trusted_path
        and request.direction == "out"
        and file.verdict == "pass"
        and file.facts.get("rounded") is True
        and not sampled(settings, file)
    )


def needed_for(settings: Settings, request: ReleaseRequest, file: RequestFile) -> int:
    """How many people must approve the file: those of the request, two at least where a check blocks."""
    if file.verdict == "block":
        return max(request.reviewers, 2)
    return 1 if fits(settings, request, file) else request.reviewers
