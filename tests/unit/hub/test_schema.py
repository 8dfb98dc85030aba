"""The schema: migrations make exactly the tables that the code asks for."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from access_control.database import open_database
from access_control.errors import Refused
from hub import schema


def test_the_migrated_schema_is_the_one_of_the_models(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    schema.upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, schema.metadata())
    assert not differences, "make a migration for: " + "\n".join(map(str, differences))


def test_an_upgrade_may_be_repeated(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    schema.upgrade(engine)
    schema.upgrade(engine)
    assert "alembic_version" in inspect(engine).get_table_names()


def test_tables_without_a_version_are_refused(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    schema.create_tables(engine)
    with pytest.raises(Refused, match="no version"):
        schema.upgrade(engine)


def test_every_module_with_tables_is_known() -> None:
    root = Path(schema.__file__).resolve().parents[1]
    found = {
        ".".join(path.relative_to(root).with_suffix("").parts)
        for package in ("access_control", "egress_review", "hub")
        for path in (root / package).rglob("*.py")
        if "\n    __tablename__ = " in path.read_text()
    }
    assert found == set(schema._MODULES)
