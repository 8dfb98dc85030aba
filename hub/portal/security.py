"""The headers of every answer, and the check that a change was asked for by one of our own pages."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_FORM_BYTES = 2 * 1024 * 1024


def content_security_policy(*, frame: str = "'none'") -> str:
    """The policy of a page; `frame` is the one origin that the session page may frame."""
    return "; ".join(
        [
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "font-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-src {frame}",
            "frame-ancestors 'none'",
        ]
    )


DOWNLOAD_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"

FIXED = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=(), clipboard-read=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def same_origin(headers: Headers, origin: str) -> bool:
    """Whether a browser says that the request comes from a page of `origin`; one that says nothing is refused.

    Session pages live on sibling hosts, which browsers call the same *site*: SameSite cookies alone would let a
    notebook act in its reader's name.
    """
    if (said := headers.get("origin")) is not None:
        return said == origin
    return headers.get("sec-fetch-site") == "same-origin"


class Guard:
    """ASGI middleware: sets the headers, refuses changes from other origins and bodies that are too big."""

    def __init__(
        self,
        app: ASGIApp,
        origin: str,
        *,
        api: str,
        secure: bool = False,
        uploads: tuple[str, ...] = (),
        upload_bytes: int = 0,
    ) -> None:
        self.app = app
        self.origin = origin
        self.api = api  # paths that begin so are answered in JSON
        self.fixed = {**FIXED, "Strict-Transport-Security": "max-age=31536000"} if secure else FIXED
        self.uploads = uploads  # paths that begin so and end in /upload may carry a file
        self.upload_bytes = upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        path = str(scope["path"])

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in self.fixed.items():
                    out.setdefault(name, value)
                out.setdefault("Content-Security-Policy", content_security_policy())
            await send(message)

        if scope["method"] not in SAFE_METHODS:
            bearer = headers.get("authorization", "").lower().startswith(("bearer ", "token "))
            length = headers.get("content-length", "0")
            if not (bearer and "cookie" not in headers) and not same_origin(headers, self.origin):
                answer = self._refusal(
                    path, 403, "This change was not asked for by a page of the portal, so it was refused."
                )
                await answer(scope, receive, send_guarded)
                return
            carries_file = path.startswith(self.uploads) and path.endswith("/upload")
            most = MOST_FORM_BYTES + (self.upload_bytes if carries_file else 0)
            if not length.isdigit() or int(length) > most or "transfer-encoding" in headers:
                answer = self._refusal(path, 413, "That is more than a form of the portal can hold.")
                await answer(scope, receive, send_guarded)
                return
        if "\0" in path or b"%00" in scope.get("query_string", b""):
            await self._refusal(path, 400, "An address may not hold a NUL character.")(scope, receive, send_guarded)
            return
        await self.app(scope, receive, send_guarded)

    def _refusal(self, path: str, status: int, sentence: str) -> Response:
        if path.startswith(self.api):
            return JSONResponse({"status": status, "error": sentence}, status)
        home = self.api.removesuffix("api/")
        return HTMLResponse(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Refused · Enclave</title>'
            f'<link rel="stylesheet" href="{home}static/portal.css"><main class="frame lone"><div class="card">'
            f"<h1>Refused</h1><p>{sentence}</p>"
            f'<p>Go back to the page before, or <a href="{home}">to the first page</a>.</p></div></main></html>',
            status,
        )
