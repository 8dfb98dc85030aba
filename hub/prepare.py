"""A data root that can be started: folders with their modes, secrets, tables, ports."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from access_control.database import open_database
from access_control.settings import Settings
from hub import schema
from hub.keys import ensure_all, private_folder, write_private
from hub.ports import Ports, choose_ports


def prepare(settings: Settings) -> tuple[Engine, Ports]:
    """Makes what is missing of a data root, brings its tables up to date, chooses the ports; harmless when repeated."""
    private_folder(settings.data_root)
    folders = (settings.datasets, settings.renditions, settings.workspaces, settings.store, settings.indexes)
    for folder in (*folders, settings.keys, settings.audit, settings.run, settings.logs):
        private_folder(folder)
    ensure_all(settings)
    engine = open_database(settings.database)
    schema.upgrade(engine)
    return engine, choose_ports(settings)


def write_settings_file(path: Path, *, data_root: Path, port: int, database_url: str = "", more: str = "") -> Path:
    """Writes a small enclave.toml, for the demo and for tests; `more` is TOML of further tables."""
    path.parent.mkdir(parents=True, exist_ok=True)
    database = f'database_url = "{database_url}"\n' if database_url else ""
    write_private(path, f'data_root = "{data_root}"\n{database}\n[web]\nport = {port}\n{more}')
    return path
