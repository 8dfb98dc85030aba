"""The portal's own tables: what previews a person was shown on a day, and the outputs that projects intend."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from access_control.database import Base


class PreviewUsage(Base):
    """Bytes of previews that were shown to a person on a day; a preview must not become a way to carry files out."""

    __tablename__ = "portal_preview_usage"
    __table_args__ = (UniqueConstraint("person_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(index=True)
    day: Mapped[date]
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)


class IntendedOutput(Base):
    """An output that a project intends to release; struck from the list it stays on record."""

    __tablename__ = "portal_intended_outputs"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    text: Mapped[str]
    declared_by: Mapped[str]
    declared_at: Mapped[datetime]
    struck_by: Mapped[str | None] = mapped_column(default=None)
    struck_at: Mapped[datetime | None] = mapped_column(default=None)
