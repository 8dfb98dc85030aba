"""The table of what is told by e-mail: each thing once to each person."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from access_control.database import Base


class Stage(StrEnum):
    """How far a notice is on its way.

    `handing` is written down before the mail server is given the text: a program that dies then leaves `handing`, of
    which nobody can know whether it arrived. It becomes `unknown` and is not sent again by itself.
    """

    Waiting = "waiting"
    Trying = "trying"
    Handing = "handing"
    Sent = "sent"
    Unknown = "unknown"
    Over = "over"


class Notice(Base):
    """A message to a person; `key` says what of, so that the same is never told twice to one person.

    It holds no text and no address: both are made when it is sent. `problem` is why the last try failed.
    """

    __tablename__ = "notices"
    __table_args__ = (UniqueConstraint("key", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    stage: Mapped[str] = mapped_column(default=Stage.Waiting.value, index=True)
    made_at: Mapped[datetime]
    next_at: Mapped[datetime]  # not tried before
    tries: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None] = mapped_column(default=None)
    done_at: Mapped[datetime | None] = mapped_column(default=None)
    problem: Mapped[str] = mapped_column(default="")
