"""All tables of the enclave in one place: makes them, and brings an older database up to date."""

from __future__ import annotations

import importlib
import importlib.util

from sqlalchemy import Engine, MetaData

from access_control.database import Base

# Every module that defines tables.
_MODULES = (
    "access_control.models",
    "access_control.audit",
    "access_control.policy_changes",
    "egress_review.models",
    "hub.gateway.models",
    "hub.portal.models",
)


def metadata() -> MetaData:
    """The metadata with the tables of every part loaded."""
    for name in _MODULES:
        parent = name.rpartition(".")[0]
        if importlib.util.find_spec(parent) and importlib.util.find_spec(name):
            importlib.import_module(name)
    return Base.metadata


def create_tables(engine: Engine) -> None:
    """Makes the tables that are not there."""
    metadata().create_all(engine)
