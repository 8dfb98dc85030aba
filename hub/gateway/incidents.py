"""Incidents and daily usage in the database. Runs in threads: the event loop never waits for a lock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from access_control import audit, clock
from access_control.audit import Act
from access_control.database import reading, writing
from access_control.errors import NotFound
from hub.gateway.budgets import Budgets, Level
from hub.gateway.models import DayUsage, Incident
from hub.gateway.sessions import LiveSession, SessionRegistry

NEAR = timedelta(minutes=15)  # incidents of a session nearer than this are one


@dataclass(frozen=True)
class Passed:
    """What is written down when a session passes a level; no data of any dataset is in it."""

    session_id: str
    person: str
    project: str
    tier: int
    level: Level
    sentence: str
    bytes: int
    flow: list[dict[str, Any]]


def write_incident(db: Session, passed: Passed) -> Incident:
    """Opens an incident, or adds to the open one of the same session that is near in time; writes the audit entry."""
    now = clock.now()
    last = db.scalars(
        select(Incident)
        .where(Incident.session_id == passed.session_id, Incident.state == "open", Incident.last_at >= now - NEAR)
        .order_by(Incident.id.desc())
    ).first()
    if last is None:
        last = Incident(
            session_id=passed.session_id,
            person_id=passed.person,
            project_id=passed.project,
            tier=passed.tier,
            level=str(passed.level),
            reason=passed.sentence,
            bytes=passed.bytes,
            flow=passed.flow,
            started_at=now,
            last_at=now,
        )
        db.add(last)
    else:
        if passed.level is Level.Paused:
            last.level, last.reason = str(passed.level), passed.sentence
        last.bytes, last.flow, last.last_at = passed.bytes, passed.flow, now
    details = {"level": str(passed.level), "bytes": passed.bytes, "project": passed.project, "tier": passed.tier}
    audit.record(db, Act.BudgetExceeded, actor=passed.person, subject=f"session:{passed.session_id}", details=details)
    db.flush()
    return last


def decide_incidents(db: Session, session_id: str, *, go_on: bool, actor: str) -> int:
    """Writes a steward's decision under every open incident of a session; raises NotFound when there is none."""
    found = db.scalars(select(Incident).where(Incident.session_id == session_id, Incident.state == "open")).all()
    if not found:
        raise NotFound(f"Session {session_id} has no incident that waits for a decision.")
    state = "continued" if go_on else "ended"
    for incident in found:
        incident.state, incident.decided_by, incident.decided_at = state, actor, clock.now()
    details = {"decision": state, "incidents": [incident.id for incident in found]}
    audit.record(db, Act.IncidentDecided, actor=actor, subject=f"session:{session_id}", details=details)
    return len(found)


class IncidentBook:
    """Budgets with their memory: what the control socket and the loop of the gateway use."""

    def __init__(self, engine: Engine, budgets: Budgets, registry: SessionRegistry) -> None:
        self._engine = engine
        self._budgets = budgets
        self._registry = registry
        self._writing: set[asyncio.Task[None]] = set()

    def passed(self, session: LiveSession, level: Level, sentence: str) -> None:
        """Notes that a session's level went up; from slow on it is an incident."""
        if level not in (Level.Slow, Level.Paused):
            return
        flow = self._budgets.flow(session.id)
        told = Passed(
            session.id, session.person, session.project, session.tier, level, sentence, flow.total, flow.rows()
        )
        task = asyncio.get_running_loop().create_task(asyncio.to_thread(self._write, told))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def _write(self, told: Passed) -> None:
        with writing(self._engine) as db:
            write_incident(db, told)

    def describe(self, session: LiveSession) -> dict[str, Any]:
        """As `Budgets.describe`."""
        return self._budgets.describe(session)

    async def decide(self, session_id: str, *, go_on: bool, actor: str) -> None:
        """A steward's decision; raises NotFound when no incident is open."""

        def write() -> None:
            with writing(self._engine) as db:
                decide_incidents(db, session_id, go_on=go_on, actor=actor)

        if self._writing:
            await asyncio.wait(self._writing)  # the incident that is being decided may be on its way into the database
        await asyncio.to_thread(write)
        session = self._registry.get(session_id)
        if session is not None and go_on:
            self._budgets.go_on(session)

    def restore(self) -> None:
        """After a restart: today's usage, and the sessions that are paused."""
        with reading(self._engine) as db:
            usage = db.scalars(select(DayUsage).where(DayUsage.day == clock.today())).all()
            paused = select(Incident.session_id).where(Incident.state == "open", Incident.level == str(Level.Paused))
            waiting = set(db.scalars(paused))
        for row in usage:
            meter = self._budgets.meter(row.scope, row.tier)
            meter.day, meter.used, meter.allowance = row.day, row.bytes, row.allowance
        for session in self._registry.all():
            if session.id in waiting:
                self._budgets.pause(session)

    async def save(self) -> None:
        """Writes today's usage down."""
        today = clock.today()
        rows = [(key, m.used, m.allowance) for key, m in self._budgets.meters.items() if m.day == today and m.used]
        if rows:
            await asyncio.to_thread(self._save, rows)

    def _save(self, rows: list[tuple[tuple[str, int], int, int]]) -> None:
        today = clock.today()
        with writing(self._engine) as db:
            known = {(row.scope, row.tier): row for row in db.scalars(select(DayUsage).where(DayUsage.day == today))}
            for (scope, tier), used, allowance in rows:
                row = known.get((scope, tier))
                if row is None:
                    db.add(DayUsage(day=today, scope=scope, tier=tier, bytes=used, allowance=allowance))
                else:
                    row.bytes, row.allowance = max(row.bytes, used), allowance
