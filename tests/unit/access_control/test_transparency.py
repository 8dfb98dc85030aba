"""The log's proof: what an attacker with the database, or with the checkpoints, can and cannot hide."""

import json
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from access_control.audit import Act, AuditEntry, canonical, record
from access_control.database import Base, open_database, writing
from access_control.errors import Refused
from access_control.settings import Settings
from access_control.transparency import (
    CHECKPOINTS,
    Checkpointer,
    export,
    signing_key,
    verify_enclave,
    verify_export,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_root=tmp_path)


@pytest.fixture
def log(settings):
    """A log of ten entries under two checkpoints, and one entry after them."""
    engine = open_database(settings.database)
    Base.metadata.create_all(engine)
    checkpointer = Checkpointer(engine, settings)
    for number in range(1, 12):
        with writing(engine) as db:
            assert record(db, Act.PersonChanged, actor="eve", subject=f"person:p{number}") == number
        if number in (5, 10):
            assert checkpointer.checkpoint()["size"] == number
    yield engine
    engine.dispose()


def problems(engine, settings, witnesses=()):
    return " ".join(verify_enclave(engine, settings, witnesses).problems)


def test_an_untouched_log_is_sound(log, settings) -> None:
    found = verify_enclave(log, settings)
    assert found.sound
    assert (found.entries, found.covered, found.checkpoints) == (11, 10, 2)


def edited(db) -> None:
    entry = db.get(AuditEntry, 3)
    entry.body = entry.body.replace("p3", "p4")


def removed(db) -> None:
    db.execute(delete(AuditEntry).where(AuditEntry.seq == 4))


def cut_off(db) -> None:
    db.execute(delete(AuditEntry).where(AuditEntry.seq > 7))


def reordered(db) -> None:
    first, second = db.get(AuditEntry, 2), db.get(AuditEntry, 3)
    first.body, second.body = second.body, first.body


def renumbered(db) -> None:
    """Removes one and closes the gap, as a careful forger would."""
    db.execute(delete(AuditEntry).where(AuditEntry.seq == 4))
    for number in range(5, 12):
        entry = db.get(AuditEntry, number)
        value = json.loads(entry.body)
        db.execute(
            update(AuditEntry)
            .where(AuditEntry.seq == number)
            .values(seq=number - 1, body=canonical({**value, "seq": number - 1}))
        )


def inserted(db) -> None:
    body = canonical({**json.loads(db.get(AuditEntry, 11).body), "seq": 12})
    db.add(AuditEntry(seq=12, body=body))
    edited(db)


@pytest.mark.parametrize("forgery", [edited, removed, cut_off, reordered, renumbered, inserted])
def test_a_forgery_below_a_checkpoint_is_found(log, settings, forgery) -> None:
    with writing(log) as db:
        forgery(db)
    assert not verify_enclave(log, settings).sound


@pytest.mark.parametrize("forgery", [edited, removed, cut_off, renumbered])
def test_no_checkpoint_is_signed_over_a_forged_log(log, settings, forgery) -> None:
    with writing(log) as db:
        forgery(db)
    with pytest.raises(Refused, match="does not agree"):
        Checkpointer(log, settings).checkpoint()


def test_a_forger_without_the_key_cannot_write_checkpoints(log, settings, tmp_path) -> None:
    with writing(log) as db:
        cut_off(db)
    (settings.audit / CHECKPOINTS).unlink()
    elsewhere = Settings(data_root=tmp_path / "elsewhere")
    other = Checkpointer(log, elsewhere)
    other.checkpoint()
    (settings.audit / CHECKPOINTS).write_bytes((elsewhere.audit / CHECKPOINTS).read_bytes())
    assert "not one that this enclave's key signed" in problems(log, settings)


def test_a_missing_checkpoint_line_is_found(log, settings) -> None:
    path = settings.audit / CHECKPOINTS
    path.write_text(path.read_text().splitlines(keepends=True)[1])
    assert "a line is missing" in problems(log, settings)


def test_a_witness_finds_what_even_the_holder_of_the_key_did(log, settings) -> None:
    path = settings.audit / CHECKPOINTS
    witness = path.read_text().splitlines()[1]
    with writing(log) as db:
        cut_off(db)
    path.unlink()
    Checkpointer(log, settings).checkpoint()
    assert verify_enclave(log, settings).sound
    assert "The log ends after 7 entries" in problems(log, settings, [witness])


def test_an_export_verifies_by_itself(log, settings, tmp_path) -> None:
    folder = tmp_path / "handed-over"
    assert export(log, settings, folder) == 11
    assert verify_export(folder).sound
    lines = (folder / "entries.jsonl").read_text()
    (folder / "entries.jsonl").write_text(lines.replace('"actor":"eve"', '"actor":"ana"', 1))
    assert not verify_export(folder).sound


def test_a_lost_key_is_not_replaced_in_silence(log, settings) -> None:
    (settings.keys / "audit.key").unlink()
    with pytest.raises(Refused, match="Restore the key"):
        signing_key(settings)


def test_the_key_is_its_owners_alone(log, settings) -> None:
    assert (settings.keys / "audit.key").stat().st_mode & 0o777 == 0o600


def test_a_cut_off_checkpoint_is_named(log, settings) -> None:
    path = settings.audit / CHECKPOINTS
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(Refused, match="cut off"):
        Checkpointer(log, settings).checkpoint()
    assert not verify_enclave(log, settings).sound


def test_an_entry_is_written_or_undone_with_its_transaction(log, settings) -> None:
    with pytest.raises(RuntimeError), writing(log) as db:
        record(db, Act.PersonChanged, actor="eve", subject="person:x")
        raise RuntimeError
    assert verify_enclave(log, settings).entries == 11
