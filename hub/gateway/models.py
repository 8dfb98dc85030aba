"""The gateway's tables: incidents of a passed budget, and what flowed on which day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from access_control.database import Base


class Incident(Base):
    """A session that passed its budget. What flowed is told in sizes, types and paths; never in data.

    State: open (the session is paused and waits for a steward), continued or ended.
    """

    __tablename__ = "gateway_incidents"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(index=True)
    person_id: Mapped[str]
    project_id: Mapped[str] = mapped_column(index=True)
    tier: Mapped[int]
    level: Mapped[str]  # slow or paused
    reason: Mapped[str]  # a sentence
    bytes: Mapped[int] = mapped_column(BigInteger)  # in this session, until `last_at`
    flow: Mapped[list[dict[str, Any]]]  # what, count, bytes, largest; and path, bytes of the files that were read most
    state: Mapped[str] = mapped_column(default="open", index=True)
    started_at: Mapped[datetime]
    last_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)


class DayUsage(Base):
    """Bytes that left through the gateway on a day, so that a restart of the gateway gives nobody a fresh budget."""

    __tablename__ = "gateway_usage"
    __table_args__ = (UniqueConstraint("day", "scope", "tier"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    scope: Mapped[str]  # person:ana or project:p17
    tier: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
    allowance: Mapped[int] = mapped_column(BigInteger, default=0)  # what a steward's decision to go on has added
