"""What Alembic runs: applies the migrations on the connection that `hub.schema` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy.engine import Connection

from access_control.database import UtcDateTime
from hub.schema import metadata


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Writes our own type as the plain one below it: a migration must not change when our code does."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def run() -> None:
    """Runs on the connection in the configuration's attributes."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        render_item=render_item,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
