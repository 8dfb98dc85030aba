"""The audit log's proof: a Merkle tree over the entries, and signed checkpoints of its root.

A checkpoint is one line of JSON: how many entries there were, the tree's root over them (RFC 9162, SHA-256), when, the
digest of the checkpoint before, and an Ed25519 signature. Whoever holds one line from earlier, a `witness`, can tell
later whether the first so many entries are still the same, even from somebody who holds the signing key.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pymerkle import InmemoryTree
from sqlalchemy import Engine, select

from access_control import clock
from access_control.audit import AuditEntry, canonical
from access_control.database import reading
from access_control.errors import Refused
from access_control.settings import Settings

CHECKPOINTS = "checkpoints.jsonl"
PUBLIC_KEY = "audit.pub"
BATCH = 10_000


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The key of the checkpoints, made at the first use, mode 0600; its public half lies beside the checkpoints.

    Raises Refused where checkpoints exist but their key is gone: a new one would make the old log unprovable.
    """
    path = settings.keys / "audit.key"
    public = settings.audit / PUBLIC_KEY
    if not path.exists():
        if public.exists():
            raise Refused(f"{path} is missing, but {public} is there. Restore the key from the backup of the keys.")
        settings.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.audit.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        public.write_bytes(
            key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
    loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(loaded, Ed25519PrivateKey):
        raise Refused(f"{path} is no Ed25519 key. Restore it from the backup of the keys.")
    return loaded


class Checkpointer:
    """Signs a checkpoint whenever the log has grown; keeps the tree, so that each one costs only what is new."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._folder = settings.audit
        self._key = signing_key(settings)
        self._tree = InmemoryTree(algorithm="sha256")

    def checkpoint(self) -> dict[str, Any] | None:
        """Signs and stores a checkpoint, and returns it; None when nothing was written since the last one.

        Raises Refused when the log no longer agrees with the last checkpoint: it was changed from outside.
        """
        for body in entries(self._engine, after=self._tree.get_size()):
            self._tree.append_entry(body.encode())
        size = self._tree.get_size()
        path = self._folder / CHECKPOINTS
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            # Two programs may sign: each sees the other's line before it writes its own.
            fcntl.flock(file, fcntl.LOCK_EX)
            last = _last_line(file.fileno())
            if last is not None:
                if last["size"] > size or self._tree.get_root(last["size"]).hex() != last["root"]:
                    raise Refused(
                        f"The audit log does not agree with its checkpoint of {last['at']} over {last['size']} entries."
                        " Run `enclave audit verify`; until then no new checkpoint is signed."
                    )
                if last["size"] == size:
                    return None
            elif size == 0:
                return None
            made: dict[str, Any] = {
                "size": size,
                "root": self._tree.get_root().hex(),
                "at": clock.now().isoformat(),
                "previous": hashlib.sha256(canonical(last).encode()).hexdigest() if last else None,
            }
            made["signature"] = base64.b64encode(self._key.sign(canonical(made).encode())).decode()
            file.write(canonical(made).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return made


def _last_line(descriptor: int) -> dict[str, Any] | None:
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, min(size, 4096), max(0, size - 4096))
    lines = tail.splitlines()
    if not lines:
        return None
    if not tail.endswith(b"\n"):
        raise Refused(
            "The last checkpoint of the audit log is cut off. Run `enclave audit verify` to see what remains."
        )
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def entries(engine: Engine, after: int = 0) -> Iterator[str]:
    """The bodies of the entries above number `after`, in order."""
    while True:
        with reading(engine) as db:
            query = select(AuditEntry.seq, AuditEntry.body).where(AuditEntry.seq > after)
            rows = db.execute(query.order_by(AuditEntry.seq).limit(BATCH)).all()
        for _, body in rows:
            yield body
        if len(rows) < BATCH:
            return
        after = rows[-1][0]


@dataclass
class Verification:
    """What a verification found; `problems` is empty when every entry is as it was signed."""

    entries: int = 0
    covered: int = 0  # entries below the last checkpoint
    checkpoints: int = 0
    root: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing was edited, removed, reordered or cut off."""
        return not self.problems


def verify(
    bodies: Iterable[str], checkpoints: Iterable[str], public_key: bytes, witnesses: Iterable[str] = ()
) -> Verification:
    """Verifies a whole log without the enclave: `public_key` is PEM, the lines are those of an export.

    Every problem is a sentence; a log with problems is still read to its end so that all of them are told.
    """
    try:
        key = serialization.load_pem_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused("The public key cannot be read. It is the file audit.pub of the enclave.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Refused("The public key is no Ed25519 key. It is the file audit.pub of the enclave.")
    result = Verification()
    awaited = _read_checkpoints(checkpoints, key, result)
    result.checkpoints = len(awaited)
    result.covered = max((point["size"] for point in awaited), default=0)
    for line in witnesses:
        awaited += _read_checkpoints([line], key, result, chained=False)
    awaited.sort(key=lambda point: int(point["size"]))
    tree = InmemoryTree(algorithm="sha256")
    position = 0
    for number, body in enumerate(bodies, start=1):
        _check_entry(number, body, result)
        tree.append_entry(body.encode())
        while position < len(awaited) and awaited[position]["size"] == number:
            _check_root(tree, awaited[position], result)
            position += 1
    result.entries = tree.get_size()
    result.root = tree.get_root().hex() if result.entries else ""
    for point in awaited[position:]:
        result.problems.append(
            f"The log ends after {result.entries} entries,"
            f" but a checkpoint of {point['at']} was signed over {point['size']}."
        )
        break
    return result


def _read_checkpoints(
    lines: Iterable[str], key: Ed25519PublicKey, result: Verification, *, chained: bool = True
) -> list[dict[str, Any]]:
    good: list[dict[str, Any]] = []
    previous: dict[str, Any] | None = None
    for number, line in enumerate(lines, start=1):
        try:
            point = json.loads(line)
            signature = base64.b64decode(point["signature"], validate=True)
            unsigned = {name: value for name, value in point.items() if name != "signature"}
            key.verify(signature, canonical(unsigned).encode())
            # Whoever hands in a log with a key of their own signs what they like.
            if type(point["size"]) is not int or not all(isinstance(point[name], str) for name in ("root", "at")):
                raise TypeError(point)  # noqa: TRY301 - one way to say no
            follows = point["previous"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidSignature):
            result.problems.append(f"Checkpoint {number} is not one that this enclave's key signed.")
            continue
        expected = hashlib.sha256(canonical(previous).encode()).hexdigest() if previous else None
        if chained and follows != expected:
            result.problems.append(
                f"Checkpoint {number} of {point['at']} does not follow the one before it: a line is missing."
            )
        previous = point
        good.append(point)
    return good


def _check_entry(number: int, body: str, result: Verification) -> None:
    try:
        value = json.loads(body)
        held = value["seq"]
    except (ValueError, KeyError, TypeError, RecursionError):
        result.problems.append(f"Entry {number} is not readable.")
        return
    if held != number:
        result.problems.append(f"Entry {number} says that it is entry {held}: entries were removed or reordered.")


def _check_root(tree: InmemoryTree, point: dict[str, Any], result: Verification) -> None:
    if tree.get_root().hex() != point["root"]:
        result.problems.append(
            f"The first {point['size']} entries are not those of the checkpoint of {point['at']}:"
            " one was edited, removed or reordered."
        )


def verify_enclave(engine: Engine, settings: Settings, witnesses: Iterable[str] = ()) -> Verification:
    """Verifies the log where it lives, with the enclave running or not."""
    public, lines = settings.audit / PUBLIC_KEY, settings.audit / CHECKPOINTS
    if not public.exists():
        raise Refused(f"{public} is missing. It is made when the enclave first signs; restore it from the backup.")
    held = lines.read_text().splitlines() if lines.exists() else []
    return verify(entries(engine), held, public.read_bytes(), witnesses)


def export(engine: Engine, settings: Settings, folder: Path) -> int:
    """Writes entries.jsonl, checkpoints.jsonl and audit.pub into a new folder; returns how many entries there are."""
    Checkpointer(engine, settings).checkpoint()
    folder.mkdir(parents=True)
    count = 0
    with (folder / "entries.jsonl").open("w", encoding="utf-8") as file:
        for body in entries(engine):
            count += 1
            file.write(body + "\n")
    for name in (CHECKPOINTS, PUBLIC_KEY):
        source = settings.audit / name
        if source.exists():
            (folder / name).write_bytes(source.read_bytes())
    return count


def verify_export(folder: Path, witnesses: Iterable[str] = ()) -> Verification:
    """Verifies a folder that `export` wrote; needs nothing but that folder. Raises Refused for what is no text."""
    try:
        with (folder / "entries.jsonl").open(encoding="utf-8") as file:
            lines = (folder / CHECKPOINTS).read_text().splitlines() if (folder / CHECKPOINTS).exists() else []
            return verify((line.rstrip("\n") for line in file), lines, (folder / PUBLIC_KEY).read_bytes(), witnesses)
    except UnicodeDecodeError as error:
        raise Refused(f"{folder} holds bytes that are no text: it is not the log that was exported.") from error
