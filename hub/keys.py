"""The enclave's own secrets: made at the first start, one file each of mode 0600 in a folder of mode 0700."""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from access_control.errors import Refused
from access_control.settings import Settings


@dataclass(frozen=True)
class Credentials:
    """What a demo person signs in with: a password, and the seed (base32) of their one-time codes."""

    password: str
    totp_seed: str


def write_private(path: Path, text: str) -> None:
    """Writes a file of mode 0600 whole or not at all: to a temporary name, to the disk, then renamed."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def private_folder(path: Path) -> Path:
    """Makes a folder of mode 0700, or closes one that is more open."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def read_secret(settings: Settings, name: str) -> str:
    """The secret of that name; raises Refused when it is missing or when others than its owner may read it."""
    path = settings.keys / name
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip()
    except OSError as error:
        raise Refused(
            f"The secret {path} cannot be read ({error.strerror}). `enclave run` makes it at its start."
        ) from error
    if stat.S_IMODE(mode) & 0o077:
        raise Refused(f"Others than its owner may read {path}. Run: chmod 600 {path}, and think of making it new.")
    if not text:
        raise Refused(f"The secret {path} is empty. Put it back from a backup, or remove the file to have it made new.")
    return text


def ensure_secret(settings: Settings, name: str, octets: int = 32) -> str:
    """The secret of that name as hexadecimal digits, made when it is not there yet."""
    private_folder(settings.keys)
    path = settings.keys / name
    if not path.exists():
        write_private(path, secrets.token_hex(octets) + "\n")
    return read_secret(settings, name)


# What each program needs; all are made before the first program starts, so that none waits for another's.
SECRETS = (
    "proxy.token",  # the proxy's REST API: hub and gateway
    "cookie.secret",  # the hub's cookies
    "crypt.key",  # the hub's stored login state
    "portal.token",  # the portal at the hub's API
    "warden.token",  # the warden at the hub's API: it may stop sessions
    "ticket.key",  # from the portal into a session's own origin
    "provider.secret",  # the embedded login provider's cookies
    "oidc-client.secret",  # the hub at the embedded login provider
)


def ensure_all(settings: Settings) -> None:
    """Makes every secret that is missing."""
    for name in SECRETS:
        ensure_secret(settings, name)


def demo_credentials(settings: Settings, people: list[str]) -> dict[str, Credentials]:
    """Passwords and one-time seeds of the demo's people, made at the first call and kept in keys/people.json."""
    private_folder(settings.keys)
    path = settings.keys / "people.json"
    known: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
    missing = [person for person in people if person not in known]
    for person in missing:
        known[person] = {"password": secrets.token_urlsafe(12), "totp_seed": _seed()}
    if missing:
        write_private(path, json.dumps(known, indent=1) + "\n")
    return {person: Credentials(**known[person]) for person in people}


def _seed() -> str:
    # 120 random bits as ASCII text, then in base32: providers differ in whether they keep text or bytes.
    return base64.b32encode(secrets.token_hex(15).encode()).decode()
