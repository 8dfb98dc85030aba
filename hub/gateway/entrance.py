"""Who may come in: which site asks, and the cookie that says who the person is. Functions of plain values."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping

from hub.gateway.allowlist import Kind

COOKIE_SECONDS = 24 * 3600
_FRAMED = frozenset({"iframe", "frame"})
_NEVER = frozenset({"embed", "object", "serviceworker", "sharedworker", "audioworklet", "paintworklet", "report"})


def cookie_name(secure: bool) -> str:
    """`__Host-` holds a cookie to this very host and to TLS; without TLS browsers would drop it."""
    return "__Host-enclave" if secure else "enclave"


def make_cookie(key: bytes, session_id: str, person: str) -> str:
    """A cookie's value, bound to session, person and the time of issue."""
    issued = str(int(time.time()))
    return f"{issued}.{_mac(key, session_id, person, issued)}"


def cookie_holds(key: bytes, value: str, session_id: str, person: str) -> bool:
    """Whether a cookie was made for this session and person, and is not too old."""
    issued, _, mac = value.partition(".")
    if not (issued.isascii() and issued.isdigit() and len(issued) < 12 and mac.isascii()):
        return False
    if not -60 <= time.time() - int(issued) <= COOKIE_SECONDS:
        return False
    return hmac.compare_digest(_mac(key, session_id, person, issued), mac)


def _mac(key: bytes, session_id: str, person: str, issued: str) -> str:
    message = f"enclave-cookie-v1\0{session_id}\0{person}\0{issued}".encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def asks_from_elsewhere(
    method: str, headers: Mapping[str, str], origin: str, kind: Kind, *, websocket: bool
) -> str | None:
    """Decides on the site that asks: None when it is the session's own page, `top` when a page asks outside of the

    portal's frame, `other` for everything else. Whatever changes something, and each websocket, has to name its origin.
    """
    if "Service-Worker" in headers:
        return "other"
    said = headers.get("Origin")
    if said is not None and said != origin:
        return "other"
    if said is None and (websocket or method not in ("GET", "HEAD")):
        return "other"
    target = headers.get("Sec-Fetch-Dest", "")
    if target == "document":
        return "top"
    if target in _NEVER:
        return "other"
    page = kind in (Kind.Page, Kind.Own)
    if target in _FRAMED:
        return None if page else "other"
    site = headers.get("Sec-Fetch-Site", "same-origin")
    return None if site in ("same-origin", "none") else "other"
