"""Logins of the portal, kept on the server: a cookie holds a signed random name and nothing else.

They are in memory on purpose: no token of a person rests on a disk, and after a restart a browser that is logged in at
the hub gets a new login without noticing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

VERIFY_SECONDS = 10.0
LIFETIME_SECONDS = 12 * 3600.0
MOST_LOGINS = 10_000


@dataclass
class Login:
    """One browser's login: the person, the hub's token for them, and the messages that their next page shows."""

    id: str
    person: str
    token: str
    csrf: str
    began: float
    verified: float
    messages: list[tuple[str, str]] = field(default_factory=list)  # (good|bad, sentence)

    def say(self, sentence: str, *, kind: str = "good") -> None:
        """Keeps a sentence for the next page that this browser opens."""
        self.messages.append((kind, sentence))

    def take_messages(self) -> list[tuple[str, str]]:
        """The sentences that wait, which are then gone."""
        waiting, self.messages = self.messages, []
        return waiting


class Logins:
    """All logins of this process; thread-safe. `identify` asks the hub whose token it is (None: no longer honoured)."""

    def __init__(
        self,
        identify: Callable[[str], str | None],
        *,
        clock: Callable[[], float] = time.monotonic,
        verify_seconds: float = VERIFY_SECONDS,
    ) -> None:
        self._identify = identify
        self._clock = clock
        self._verify_seconds = verify_seconds
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._logins: dict[str, Login] = {}

    def begin(self, person: str, token: str) -> Login:
        """A new login of a person whose token the hub has just confirmed."""
        now = self._clock()
        login = Login(secrets.token_urlsafe(32), person, token, secrets.token_urlsafe(32), now, now)
        with self._lock:
            if len(self._logins) >= MOST_LOGINS:
                oldest = min(self._logins.values(), key=lambda each: each.verified)
                del self._logins[oldest.id]
            self._logins[login.id] = login
        return login

    def cookie(self, login: Login) -> str:
        """The cookie's value: the login's id and a signature over it."""
        return self.sign(login.id)

    def find(self, cookie: str | None) -> Login | None:
        """The login of a cookie, asked of the hub again when the last answer is old; None when there is none.

        Whatever `identify` raises comes through: a hub that does not answer opens nothing.
        """
        name = self.unsign(cookie)
        with self._lock:
            login = self._logins.get(name) if name else None
        if login is None:
            return None
        now = self._clock()
        if now - login.began > LIFETIME_SECONDS:
            self.end(login)
            return None
        if now - login.verified > self._verify_seconds:
            if self._identify(login.token) != login.person:
                self.end(login)
                return None
            login.verified = now
        return login

    def end(self, login: Login) -> None:
        """Forgets a login; its cookie opens nothing from now on."""
        with self._lock:
            self._logins.pop(login.id, None)

    def end_of(self, person: str) -> None:
        """Forgets every login of a person."""
        with self._lock:
            self._logins = {name: login for name, login in self._logins.items() if login.person != person}

    def sign(self, value: str) -> str:
        """`value.signature`, with a key that lives as long as this process."""
        return f"{value}.{self._mac(value)}"

    def unsign(self, signed: str | None) -> str | None:
        """The value under a good signature, else None."""
        value, _, mac = (signed or "").rpartition(".")
        if not value.isascii() or not mac.isascii():
            return None  # we sign no such name; half a character could not even be encoded
        return value if value and hmac.compare_digest(mac.encode(), self._mac(value).encode()) else None

    def _mac(self, value: str) -> str:
        return hmac.new(self._key, value.encode(), hashlib.sha256).hexdigest()
