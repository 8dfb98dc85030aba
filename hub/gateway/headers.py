"""The headers of every answer: the gateway's own. None of the container's is passed on.

`allow-downloads` and `allow-popups` are left out of the sandbox, so that script which a notebook prints can neither
save a file nor open a window. JupyterLab needs `'unsafe-inline'` and `'unsafe-eval'`; what a script could reach is
therefore limited by where it may connect: this origin, which is the gateway. Where the frame may navigate is the
portal's page's to say (`frame-src`), which is why the session refuses to be shown outside of it.

That policy says nothing about name look-ups, opening a connection ahead of its use, and WebRTC: `Connection-Allowlist`
does, in Chromium from 152 on.
"""

from __future__ import annotations

from functools import lru_cache

_PERMISSIONS = (
    "accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "clipboard-read", "compute-pressure",
    "display-capture", "encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid",
    "identity-credentials-get", "idle-detection", "keyboard-map", "local-fonts", "magnetometer", "microphone",
    "midi", "otp-credentials", "payment", "picture-in-picture", "publickey-credentials-create",
    "publickey-credentials-get", "screen-wake-lock", "serial", "speaker-selection", "storage-access", "usb",
    "web-share", "window-management", "xr-spatial-tracking",
)  # fmt: skip

# The types that a body may have, by how it may be used; whatever else a container calls its answer, it is not.
JSON = "application/json"
SVG = "image/svg+xml"
IMAGES = {"image/png", "image/gif", "image/jpeg", "image/webp"}


@lru_cache(maxsize=1024)
def content_security_policy(session_origin: str, portal_origin: str, *, frames: bool = False) -> str:
    """The policy of every page and answer of a session's origin; `frames` lets JupyterLab show HTML files."""
    websockets = session_origin.replace("http", "ws", 1)
    directives = {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "data: blob:",
        "connect-src": f"'self' {websockets}",
        "worker-src": "'self' blob:",
        "frame-src": "blob:" if frames else "'none'",
        "object-src": "'none'",
        "manifest-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": portal_origin,
        "webrtc": "'block'",
        "sandbox": "allow-scripts allow-same-origin allow-forms allow-modals",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


@lru_cache(maxsize=1024)
def _fixed(session_origin: str, portal_origin: str, secure: bool, frames: bool) -> tuple[tuple[str, str], ...]:
    fixed = [
        ("Content-Security-Policy", content_security_policy(session_origin, portal_origin, frames=frames)),
        ("Connection-Allowlist", "(response-origin);webrtc=block"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", ", ".join(f"{name}=()" for name in _PERMISSIONS)),
        ("X-DNS-Prefetch-Control", "off"),
        ("X-Robots-Tag", "noindex"),
        ("Origin-Agent-Cluster", "?1"),
        ("Server", "enclave"),
    ]
    if secure:
        fixed.append(("Strict-Transport-Security", "max-age=63072000"))
    return tuple(fixed)


def response_headers(
    session_origin: str, portal_origin: str, content_type: str, *, cache: str = "no-store", frames: bool = False
) -> dict[str, str]:
    """All headers of an answer but for its length."""
    headers = dict(_fixed(session_origin, portal_origin, session_origin.startswith("https:"), frames))
    headers["Cache-Control"] = cache
    headers["Content-Type"] = content_type
    return headers


def bare_type(value: str | None) -> str:
    """The media type without parameters, in small letters."""
    return (value or "").partition(";")[0].strip().lower()
