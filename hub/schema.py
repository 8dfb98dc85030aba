"""All tables of the enclave in one place: makes them, and brings an older database up to date."""

from __future__ import annotations

import importlib
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, inspect

from access_control.database import Base
from access_control.errors import Refused

MIGRATIONS = Path(__file__).parent / "migrations"

# Every module that defines tables.
_MODULES = (
    "access_control.models",
    "access_control.audit",
    "egress_review.models",
    "hub.gateway.models",
    "hub.notices.models",
    "hub.portal.models",
)


def metadata() -> MetaData:
    """The metadata with the tables of every part loaded."""
    for name in _MODULES:
        importlib.import_module(name)
    return Base.metadata


def create_tables(engine: Engine) -> None:
    """Makes the tables that are not there, without migrations: for tests of single parts."""
    metadata().create_all(engine)


def configuration() -> Config:
    """Alembic's configuration; the connection is added by whoever runs it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def upgrade(engine: Engine) -> None:
    """Brings the database to this release's schema; raises Refused where its tables were made in another way."""
    there = set(inspect(engine).get_table_names())
    if there & set(metadata().tables) and "alembic_version" not in there:
        raise Refused(
            "The database has the enclave's tables but no version of them, so it cannot be brought up to date."
            " Restore it from a backup, or name another in database_url."
        )
    config = configuration()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
