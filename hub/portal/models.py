"""The portal's own table: how much of submitted files a person was shown on a day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, UniqueConstraint
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
