"""A person's browser without a screen: cookies, redirects and forms, over the enclave's real pages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx
import lxml.html
import pyotp

LOGIN_STEPS = 12


class LoginFailed(Exception):
    """The provider or the hub did not let the person in; says at which page."""


class LoopbackTransport(httpx.HTTPTransport):
    """Connects to 127.0.0.1 for every name under localhost, as browsers do and the C library does not."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends the request; the Host header stays that of the name."""
        if request.url.host == "localhost" or request.url.host.endswith(".localhost"):
            request = httpx.Request(
                request.method,
                request.url.copy_with(host="127.0.0.1"),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": request.url.host},
            )
        return super().handle_request(request)


@dataclass(frozen=True)
class Secret:
    """How a person logs in: a password and the seed of their one-time codes (base 32)."""

    password: str
    otp_seed: str


def new_client(timeout: float = 120) -> httpx.Client:
    """An empty browser: no cookies, follows redirects; `timeout` in seconds for each answer."""
    return httpx.Client(transport=LoopbackTransport(retries=2), follow_redirects=True, timeout=timeout)


@dataclass
class Form:
    """A form of a page: where it goes, how, and the values it would send as it stands."""

    action: str
    method: str
    values: dict[str, str]
    names: set[str]


def forms(page: httpx.Response) -> list[Form]:
    """The forms of a page, in order."""
    if "html" not in page.headers.get("content-type", ""):
        return []
    found = []
    for form in lxml.html.fromstring(page.text or "<p></p>").iter("form"):
        values: dict[str, str] = {}
        names: set[str] = set()
        for element in form.iter("input", "button", "select", "textarea"):
            name = element.get("name")
            if not name:
                continue
            names.add(name)
            kind = (element.get("type") or "").lower()
            if kind in {"submit", "button", "image"} or element.tag == "button":
                continue
            if kind in {"checkbox", "radio"} and element.get("checked") is None:
                continue
            values[name] = str(element.value or "")
        action = urljoin(str(page.url), form.get("action") or str(page.url))
        found.append(Form(action, (form.get("method") or "get").lower(), values, names))
    return found


class Browser:
    """One person's browser. Each answer is a plain `httpx.Response`; nothing is raised for its status."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.client = new_client()
        self._last_code = ""

    def close(self) -> None:
        """Closes all connections."""
        self.client.close()

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Fetches a page of the enclave, or of an absolute address."""
        return self.client.get(urljoin(self.origin, path), **options)

    def send(self, form: Form, values: Mapping[str, str] | None = None) -> httpx.Response:
        """Sends a form with what the person filled in."""
        filled = {**form.values, **(values or {})}
        headers = {"Origin": "/".join(form.action.split("/")[:3]), "Referer": form.action}
        if form.method == "post":
            return self.client.post(form.action, data=filled, headers=headers)
        return self.client.get(form.action, params=filled)

    def log_in(self, person: str, secret: Secret, path: str = "/services/portal/") -> httpx.Response:
        """Logs in through the provider's own pages and returns the page that the person then sees.

        Raises LoginFailed when after a dozen pages there is still a question that this person cannot answer.
        """
        page = self.get(path)
        passwords = 0
        for _ in range(LOGIN_STEPS):
            passwords += any("password" in form.names for form in forms(page))
            if passwords > 1:
                raise LoginFailed(f"the provider asks {person} for the password again: it is not the right one")
            answer = self._answer(page, person, secret)
            if answer is None:
                return page
            page = answer
        raise LoginFailed(f"{person} was not let in; the last page was {page.url} ({page.status_code})")

    def _answer(self, page: httpx.Response, person: str, secret: Secret) -> httpx.Response | None:
        for form in forms(page):
            if "password" in form.names:
                return self.send(form, {"login": person, "password": secret.password})
            if "otp" in form.names:
                return self.send(form, {"otp": self._code(secret)})
            if "login" in form.names and not page.url.path.startswith(("/hub/", "/services/")):
                return self.send(form, {"login": person})
            if "answer" in form.names:
                return self.send(form, {"answer": "accept"})
        return None

    def _code(self, secret: Secret) -> str:
        """The present one-time code; one that was not taken is not sent again, the next is waited for."""
        clock = pyotp.TOTP(secret.otp_seed)
        if clock.now() == self._last_code:
            time.sleep(clock.interval - time.time() % clock.interval + 0.2)
        self._last_code = clock.now()
        return self._last_code


def wait_for(condition: Any, seconds: float, what: str) -> Any:
    """Asks again and again until `condition()` is truthy and returns that; TimeoutError names `what` otherwise."""
    end = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.1)
