import errno
import hashlib
import os
from pathlib import Path

import pytest

from egress_review.errors import Refused
from egress_review.store import STALE_SECONDS, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_a_blob_is_named_by_its_hash_and_read_only(store: Store) -> None:
    blob = store.put([b"one ", b"two"])
    assert blob.sha256 == hashlib.sha256(b"one two").hexdigest()
    assert blob.size == 7
    path = store.verify(blob.sha256)
    assert path.stat().st_mode & 0o777 == 0o400
    assert store.root.stat().st_mode & 0o777 == 0o700
    assert store.read(blob.sha256) == b"one two"
    assert list((store.root / "staging").iterdir()) == []


def test_putting_again_mends_a_damaged_blob(store: Store) -> None:
    blob = store.put([b"one"])
    damage(store, blob.sha256)
    with pytest.raises(Refused, match="damaged"):
        store.read(blob.sha256)
    assert store.put([b"one"]) == blob
    assert store.read(blob.sha256) == b"one"


def damage(store: Store, sha256: str) -> None:
    path = store.path(sha256)
    path.chmod(0o600)
    path.write_bytes(b"other")


def test_fsck_finds_what_is_damaged_foreign_and_missing(store: Store) -> None:
    good, bad = store.put([b"good"]), store.put([b"bad"])
    damage(store, bad.sha256)
    (store.root / "blobs" / good.sha256[:2] / "notes.txt").write_text("x")
    gone = "0" * 64
    found = {each.sha256: each.sentence for each in store.fsck([good.sha256, bad.sha256, gone, ""])}
    assert set(found) == {bad.sha256, "notes.txt", gone}
    assert "damaged" in found[bad.sha256]
    assert "missing" in found[gone]


def test_fsck_of_nothing_is_well(store: Store) -> None:
    assert store.fsck() == []


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64])
def test_only_hashes_are_paths(store: Store, name: str) -> None:
    with pytest.raises(Refused, match="no hash"):
        store.path(name)


@pytest.mark.parametrize("full", ["write", "fsync"])
def test_a_full_disk_is_said_and_nothing_is_lost(store: Store, monkeypatch: pytest.MonkeyPatch, full: str) -> None:
    kept = store.put([b"kept"])

    def no_room(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, full, no_room)
        with pytest.raises(Refused, match="disk is full"):
            store.put([b"new"])
    assert store.read(kept.sha256) == b"kept"
    assert store.fsck() == []
    assert list((store.root / "staging").iterdir()) == []


def test_sweeping_takes_only_what_is_old(store: Store) -> None:
    store.put([b"x"])
    old, new = store.root / "staging" / "old", store.root / "staging" / "new"
    for path in (old, new):
        path.write_bytes(b"half")
    past = old.stat().st_mtime - STALE_SECONDS - 10
    os.utime(old, (past, past))
    assert store.sweep() == 1
    assert new.exists()
    assert not old.exists()
