"""Agreements: who, which renditions, for which purposes, where, until when; signed by each party, then made true by rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from access_control.models import Agreement

AGREEMENT_TRANSITIONS: dict[str, tuple[str, ...]] = {
    "draft": ("signed", "withdrawn"),
    "signed": ("active", "draft", "withdrawn"),
    "active": ("suspended", "expired", "withdrawn"),
    "suspended": ("active", "expired", "withdrawn"),
    "expired": (),
    "withdrawn": (),
}


@dataclass(frozen=True)
class Renewal:
    """An agreement that ends soon: days left, and the draft that already renews it, if there is one."""

    agreement: Agreement
    days_left: int
    renewed_by: str | None


def agreement_text(agreement: Agreement) -> str: ...
def agreement_digest(agreement: Agreement) -> str: ...
def signed_by(db: Session, agreement: Agreement) -> dict[str, str]: ...  # party -> person, under the present text
def signable_by(db: Session, agreement: Agreement, person_id: str) -> list[str]: ...  # parties that this person may sign for now
def draft_agreement(db: Session, *, title: str, project: str, parties: list[str], renditions: list[str], purposes: list[str], regions: list[str], start: date, until: date, actor: str, required_trainings: list[str] | None = None, reviewers: int = 1, conditions: str = "") -> Agreement: ...
def amend_agreement(db: Session, agreement_id: str, *, actor: str, title: str | None = None, parties: list[str] | None = None, renditions: list[str] | None = None, purposes: list[str] | None = None, regions: list[str] | None = None, required_trainings: list[str] | None = None, reviewers: int | None = None, conditions: str | None = None, start: date | None = None, until: date | None = None) -> Agreement: ...
def sign_agreement(db: Session, agreement_id: str, *, party: str, actor: str, digest: str | None = None, reason: str = "") -> Agreement: ...  # activates when all parties have signed
def activate_agreement(db: Session, agreement_id: str, *, actor: str) -> Agreement: ...
def suspend_agreement(db: Session, agreement_id: str, *, reason: str, actor: str) -> Agreement: ...
def resume_agreement(db: Session, agreement_id: str, *, reason: str, actor: str) -> Agreement: ...
def withdraw_agreement(db: Session, agreement_id: str, *, reason: str, actor: str) -> Agreement: ...
def expire_agreements(db: Session, *, actor: str = "<warden>") -> list[str]: ...
def renewals_due(db: Session, *, days: int = 30) -> list[Renewal]: ...
def renew_agreement(db: Session, agreement_id: str, *, until: date, actor: str) -> Agreement: ...
