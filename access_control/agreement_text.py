"""The exact text that parties sign, and its digest. One line a clause; the free words of the conditions come last."""

from __future__ import annotations

import hashlib

from access_control.models import Agreement
from access_control.terms import label


def agreement_text(agreement: Agreement) -> str:
    """What the parties agree, in words that both a person and a program can read; the same agreement, the same text."""
    clauses = (
        ("Agreement", agreement.id),
        ("Title", agreement.title),
        ("Parties", ", ".join(sorted(agreement.parties))),
        ("Project", agreement.project_id),
        ("Renditions", ", ".join(sorted(agreement.renditions))),
        ("Purposes", ", ".join(f"{purpose} {label(purpose)}" for purpose in sorted(agreement.purposes))),
        ("Regions", ", ".join(sorted(agreement.regions))),
        ("Trainings asked for", ", ".join(sorted(agreement.required_trainings)) or "none besides the data's own"),
        ("Reviewers of each output", str(agreement.reviewers)),
        ("First day", agreement.start.isoformat()),
        ("Last day", agreement.until.isoformat()),
        ("Conditions", agreement.conditions or "none"),
    )
    return "".join(f"{name}: {value}\n" for name, value in clauses)


def agreement_digest(agreement: Agreement) -> str:
    """SHA-256 over the text: what a signature binds."""
    return hashlib.sha256(agreement_text(agreement).encode()).hexdigest()
