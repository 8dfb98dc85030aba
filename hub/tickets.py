"""Tickets: how a person who is signed in at the portal comes into the session's own origin, once, within 30 seconds.

The portal issues a ticket and puts it into the address that it frames; the gateway redeems it for a cookie that only
the session's host ever sees. Both hold the key `keys/ticket.key`; the container does not.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from pathlib import Path

from access_control.errors import NotPermitted, Refused

LIFETIME_SECONDS = 30
_FAR_AHEAD_SECONDS = 5  # two processes of one machine; more than this is a forged or broken clock


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(text: str) -> str:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()


def _mac(key: bytes, message: str) -> str:
    return hmac.new(key, b"enclave-ticket-v1\0" + message.encode(), hashlib.sha256).hexdigest()


def read_key(path: Path) -> bytes:
    """The key of tickets and cookies; raises Refused when it is missing, short, or open to others on this machine."""
    try:
        mode = path.stat().st_mode & 0o077
        key = path.read_bytes().strip()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}. `enclave doctor` says how to make it.") from error
    if mode:
        raise Refused(f"{path} can be read by others on this machine. Run: chmod 600 {path}")
    if len(key) < 32:
        raise Refused(f"{path} is too short for a key. Remove it and start the enclave again: it makes a new one.")
    return key


def issue(key: bytes, session_id: str, person: str) -> str:
    """A ticket with which `person` may enter the session, once, within `LIFETIME_SECONDS`; safe in an address."""
    issued = time.time_ns() // 1_000_000
    message = f"{session_id}.{_encode(person)}.{issued}.{secrets.token_hex(16)}"
    return f"{message}.{_mac(key, message)}"


class Redeemer:
    """Redeems tickets, each once. One redeemer a gateway: what was used is remembered in its memory.

    A ticket from before the redeemer was made is refused, because the redeemer cannot know whether it was used.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._since = time.time_ns() // 1_000_000
        self._used: dict[str, float] = {}

    def redeem(self, ticket: str, session_id: str) -> str:
        """The person whom the ticket lets into this session; raises NotPermitted with the reason."""
        again = "Open the session from the portal again."
        parts = ticket.split(".") if len(ticket) < 1024 and ticket.isascii() else []
        if len(parts) != 5:
            raise NotPermitted(f"This is not a ticket of the enclave. {again}")
        message, mac = ticket.rsplit(".", 1)
        if not hmac.compare_digest(_mac(self._key, message), mac):
            raise NotPermitted(f"This ticket was not issued by the enclave. {again}")
        ticket_session, person, issued_text, nonce, _ = parts
        if ticket_session != session_id:
            raise NotPermitted(f"This ticket is for another session. {again}")
        now = time.time()
        issued = int(issued_text) / 1000
        if issued < self._since / 1000 or not -_FAR_AHEAD_SECONDS <= now - issued <= LIFETIME_SECONDS:
            raise NotPermitted(f"This ticket has run out. {again}")
        self._used = {old: until for old, until in self._used.items() if until > now}
        if nonce in self._used:
            raise NotPermitted(f"This ticket was used before. {again}")
        self._used[nonce] = issued + LIFETIME_SECONDS + _FAR_AHEAD_SECONDS
        try:
            return _decode(person)
        except (binascii.Error, UnicodeDecodeError) as error:  # pragma: no cover - the signature covers it
            raise NotPermitted(f"This ticket names no person. {again}") from error
