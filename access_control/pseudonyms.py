"""Pseudonyms: keyed by project, so that what two projects hold of one person cannot be joined.

A pseudonym is the first 80 bits of HMAC-SHA-256 over the value in one canonical spelling, in base 32 (16 characters).
Its key is derived (HKDF, RFC 5869) from the enclave's own secret, the project and the column's domain. Two columns that
name the same thing share a domain when the steward says so, and can then be joined within a project.
"""

from __future__ import annotations

import base64
import hmac
import math
import os
import secrets
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from access_control.errors import Refused
from access_control.generalise import EVERY
from access_control.settings import Settings

KEY_FILE = "pseudonyms.key"
_LENGTH = 10  # bytes: a collision among ten million people has a chance of 1 in 2 * 10^10
_REMEMBERED = 200_000


def master_key(settings: Settings) -> bytes:
    """The enclave's secret for pseudonyms, made at first use with mode 0600; raises Refused when others can read it."""
    path = settings.keys / KEY_FILE
    if not path.exists():
        _make(path)
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip()
    except OSError as error:
        raise Refused(f"The key of the pseudonyms, {path}, cannot be read ({error.strerror}).") from error
    if stat.S_IMODE(mode) & 0o077:
        raise Refused(f"Others than its owner may read {path}. Run: chmod 600 {path}, and think of making it new.")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) < 32:
        raise Refused(f"{path} does not hold a key of 32 bytes in hexadecimal. Put it back from a backup.")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link, unlike a rename, never replaces the key that another process made in the meantime.
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        temporary.unlink()


def derive(master: bytes, domain: str, project_id: str | None) -> bytes:
    """The key of one domain in one project; None is the key that all projects share."""
    scope = f"project:{project_id}" if project_id is not None else "everyone"
    info = b"enclave pseudonym 1\0" + domain.encode() + b"\0" + scope.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)


def spelling(value: Any) -> bytes:
    """One spelling a value: 5 and 5.0 are the same person, and so are composed and decomposed letters."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFC", str(value).strip()).encode()


@dataclass(frozen=True)
class Pseudonym:
    """The rule as a rendition declares it; `keyed` adds the key when it is materialised."""

    per_project: bool
    domain: str
    kinds = EVERY

    def words(self) -> str:
        whose = "of this project alone" if self.per_project else "the same in all projects"
        return f"replaced by a pseudonym, {whose}"

    def result(self, kind: str) -> str:
        return "string"

    def apply(self, column: pa.Array) -> pa.Array:
        raise Refused(f"The pseudonyms of {self.domain} have no key: nothing is published ({len(column)} values).")

    def keyed(self, master: bytes, project_id: str | None) -> Keyed:
        """The rule with its key; raises Refused when it is keyed by project and no project is given."""
        if self.per_project and project_id is None:
            raise Refused(f"The pseudonyms of {self.domain} are keyed by project: say for which project.")
        return Keyed(derive(master, self.domain, project_id if self.per_project else None), self.words())


class Keyed:
    """A pseudonym rule that holds its key."""

    kinds = EVERY

    def __init__(self, key: bytes, words: str) -> None:
        self._key = key
        self._words = words
        self._known: dict[Any, str] = {}

    def words(self) -> str:
        """What it does, for the dictionary."""
        return self._words

    def result(self, kind: str) -> str:
        """Pseudonyms are text."""
        return "string"

    def of(self, value: Any) -> str:
        """The pseudonym of one value."""
        digest = hmac.digest(self._key, spelling(value), "sha256")[:_LENGTH]
        return base64.b32encode(digest).decode().lower()

    def apply(self, column: pa.Array) -> pa.Array:
        """Pseudonyms in place of values; missing stays missing."""
        coded = column.dictionary_encode()
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        names: list[str | None] = []
        for value in coded.dictionary.to_pylist():
            if value is None or (isinstance(value, float) and math.isnan(value)):
                names.append(None)
                continue
            name = self._known.get(value)
            if name is None:
                name = self._known[value] = self.of(value)
            names.append(name)
        return pa.array(names, pa.string()).take(coded.indices)
