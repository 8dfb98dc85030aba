"""The audit log with its verification, who has had access to a dataset, who could have had, and why."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from access_control import clock, history
from access_control.audit import Act, AuditEntry
from access_control.errors import Invalid, NotPermitted
from access_control.models import Dataset, Person, Project, Rendition
from access_control.transparency import CHECKPOINTS, verify_enclave
from access_control.why import explain
from hub.portal.context import Portal, PortalOf, Visitor, VisitorOf
from hub.portal.numbers import Number
from hub.portal.pages.people import check_duty
from hub.portal.rendering import page, part

router = APIRouter()
PAGE = 100


def read_log(db: Session, *, before: int | None, act: str, words: str) -> list[dict[str, Any]]:
    """Up to 100 entries before a number, the newest first, that are of that act and hold those words."""
    query = select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(PAGE)
    if before is not None:
        query = query.where(AuditEntry.seq < before)
    if act:
        query = query.where(AuditEntry.body.contains(f'"act":"{act}"', autoescape=True))
    for word in words.split()[:5]:
        query = query.where(AuditEntry.body.contains(word, autoescape=True))
    return [json.loads(row.body) for row in db.scalars(query)]


@router.get("/audit")
def log(
    request: Request,
    portal: PortalOf,
    visitor: VisitorOf,
    *,
    before: Number | None = None,
    act: str = "",
    words: str = "",
) -> Response:
    """The log, the newest first."""
    check_duty(portal, visitor, "audit", "administer")
    with portal.reading() as db:
        entries = read_log(db, before=before, act=act, words=words)
        return page(
            request,
            "audit.html",
            title="Audit log",
            entries=entries,
            total=db.scalar(select(func.count()).select_from(AuditEntry)),
            acts=[str(each) for each in Act],
            act=act,
            words=words,
            more=entries[-1]["seq"] if len(entries) == PAGE else None,
        )


@router.get("/audit/verification")
def verification(request: Request, portal: PortalOf, visitor: VisitorOf) -> Response:
    """Verifies the whole log now; the page asks for it after it is shown, as it takes its time."""
    check_duty(portal, visitor, "audit", "administer")
    result = verify_enclave(portal.engine, portal.settings)
    return part(request, "verification.html", title="Verification of the log", back="audit", result=result)


def check_may_see_accesses(portal: Portal, visitor: Visitor, dataset: Dataset) -> None:
    """Raises NotPermitted unless the visitor is an admin, an auditor, or a steward of the dataset's owner."""
    snapshot, today = portal.snapshot(), clock.today()
    asked = [
        snapshot.may(visitor.id, "audit", today),
        snapshot.may(visitor.id, "administer", today),
        snapshot.may(visitor.id, "steward", today, owner=dataset.owner_id),
    ]
    if not any(decision.allowed for decision in asked):
        raise NotPermitted(
            f"Who has had access to {dataset.id} is shown to its owner's stewards, to admins and to auditors."
        )


def moment_of(text: str) -> datetime:
    """A time such as 2026-11-20T18:00 in UTC; raises Invalid."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"“at” must be a time such as 2026-11-20T18:00, not {text!r}.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def last_checkpoint(file: Path) -> dict[str, Any]:
    """The newest signed checkpoint, as its line says; empty when there is none yet."""
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, opened.seek(0, os.SEEK_END) - 4096))
            found: dict[str, Any] = json.loads(opened.read().splitlines()[-1])
            return found
    except (OSError, ValueError, IndexError):
        return {}


@router.get("/who-had")
def who_had(request: Request, portal: PortalOf, visitor: VisitorOf, dataset: str = "", at: str = "") -> Response:
    """Every session that had a dataset mounted; with `at` also who could have mounted it then."""
    with portal.reading() as db:
        rows = list(db.scalars(select(Dataset).order_by(Dataset.id)))
        if not visitor.has("admin", "auditor"):
            rows = [row for row in rows if row.owner_id in visitor.domains("steward", "lead-steward")]
            if not rows:
                raise NotPermitted("Who has had access to data is shown to its stewards, to admins and to auditors.")
        values: dict[str, Any] = {"accesses": None, "could": None}
        chosen = next((row for row in rows if row.id == dataset), None)
        if dataset and chosen is None:
            raise NotPermitted(f"{dataset} is not a dataset whose accesses you may see.")
        if chosen is not None:
            check_may_see_accesses(portal, visitor, chosen)
            values["accesses"] = history.accesses(db, chosen.id)
            signed = last_checkpoint(portal.settings.audit / CHECKPOINTS)
            values |= {
                "entries": db.scalar(select(func.count()).select_from(AuditEntry)),
                "root": signed.get("root", ""),
                "covered": signed.get("size", 0),
            }
            if at:
                values["could"] = history.who_could(db, chosen.id, moment_of(at), data_root=portal.settings.data_root)
        return page(
            request,
            "who_had.html",
            title="Who had access",
            datasets=rows,
            chosen=chosen,
            at=at,
            now=clock.now(),
            **values,
        )


@router.get("/why")
def why(
    request: Request, portal: PortalOf, visitor: VisitorOf, *, person: str = "", project: str = "", data: str = ""
) -> Response:
    """Why any person sees some data in a project, or why not."""
    check_duty(portal, visitor, "administer", "audit")
    sentences = explain(portal.snapshot(), person, project, data, clock.today()) if person and project and data else []
    with portal.reading() as db:
        known = {
            "people": list(db.scalars(select(Person.id).order_by(Person.id))),
            "projects": list(db.scalars(select(Project.id).order_by(Project.id))),
            "data": [
                *db.scalars(select(Dataset.id).order_by(Dataset.id)),
                *db.scalars(select(Rendition.id).order_by(Rendition.id)),
            ],
        }
    return page(
        request,
        "why.html",
        title="Why access, or why not",
        sentences=sentences,
        person=person,
        project=project,
        data=data,
        ask=True,
        known=known,
    )
