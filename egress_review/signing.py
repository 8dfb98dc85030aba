"""Signatures of reviewers and of the enclave (Ed25519), and the keys they are made with.

Each reviewer has a key of their own, held by the server in `keys/reviewers/` (0600): a login with a second factor is
what unlocks it, and the audit log says when it was used. The enclave's own key signs the manifest of each release.
Public keys are read from the key files, not from the database: who can only write to the database cannot forge.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import uuid
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from access_control.settings import Settings
from egress_review.errors import Refused

_PERSON = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def key_id(public: Ed25519PublicKey) -> str:
    """The first 16 hexadecimal digits of the SHA-256 over the raw public key."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def pem(public: Ed25519PublicKey) -> str:
    """The public key as PEM text."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_from_pem(text: str | bytes) -> Ed25519PublicKey:
    """Reads a public key; raises Refused when the text holds no Ed25519 key."""
    try:
        key = load_pem_public_key(text.encode() if isinstance(text, str) else text)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused(f"This is no public key in PEM form: {error}.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Refused("This public key is no Ed25519 key.")
    return key


def reviewer_public(settings: Settings, person: str) -> Ed25519PublicKey:
    """The public key of a reviewer who has signed before; raises Refused when there is none."""
    path = _reviewer_path(settings, person)
    if not path.is_file():
        raise Refused(f"The key of reviewer {person} is missing, so what they signed cannot be verified. Ask an admin.")
    return _load(path).public_key()


def sign_as(settings: Settings, person: str, payload: str) -> tuple[str, str]:
    """The reviewer's signature over `payload` in hexadecimal, and the key's id; makes the key at the first use."""
    key = _load_or_make(_reviewer_path(settings, person))
    return key.sign(payload.encode()).hex(), key_id(key.public_key())


def verify(public: Ed25519PublicKey, payload: str, signature: str, whose: str) -> None:
    """Raises Refused unless `signature` is that of `payload` by `public`."""
    try:
        public.verify(bytes.fromhex(signature), payload.encode())
    except (InvalidSignature, ValueError) as error:
        raise Refused(
            f"The signature of {whose} does not verify: what it signed was altered, or it is forged."
        ) from error


def enclave_key(settings: Settings) -> Ed25519PrivateKey:
    """The enclave's key for manifests of releases, made at the first use; `keys/release.pub` holds its public half."""
    key = _load_or_make(settings.keys / "release.pem")
    public = settings.keys / "release.pub"
    if not public.is_file():
        _write(public, pem(key.public_key()).encode(), 0o644)
    return key


def _reviewer_path(settings: Settings, person: str) -> Path:
    if not _PERSON.fullmatch(person) or ".." in person:
        raise Refused(f"{person!r} is no person's id, so no key can be kept for it.")
    return settings.keys / "reviewers" / f"{person}.pem"


def _load(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise Refused(
            f"The key {path.name} cannot be read: {error}. Ask an admin to restore it from the backup."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused(f"The key {path.name} is no Ed25519 key. Ask an admin to restore it from the backup.")
    return key


def _load_or_make(path: Path) -> Ed25519PrivateKey:
    if not path.is_file():
        key = Ed25519PrivateKey.generate()
        _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    return _load(path)


def _write(path: Path, data: bytes, mode: int) -> None:
    """Writes a new file whole or not at all; the one who comes second leaves the first one's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    fd = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(staging, path)
    finally:
        staging.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
