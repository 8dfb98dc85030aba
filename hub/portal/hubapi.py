"""A client of JupyterHub's REST and OAuth interfaces, with the portal's own narrow token.

The portal's role at the hub needs `start:servers`, `delete:servers` and `read:servers` and nothing else.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from access_control.errors import NotFound, NotPermitted, Refused

TIMEOUT = httpx.Timeout(15.0)


@dataclass(frozen=True)
class HubService:
    """How the hub knows the portal; JupyterHub gives a service these values in its environment."""

    api_url: str
    api_token: str
    client_id: str
    prefix: str = "/services/portal/"
    public_hub: str = "/hub/"

    @classmethod
    def from_environment(cls) -> HubService:
        """Reads JUPYTERHUB_*; raises Refused naming the first that is missing."""
        for name in ("JUPYTERHUB_API_URL", "JUPYTERHUB_API_TOKEN"):
            if not os.environ.get(name):
                raise Refused(f"{name} is not set. The portal is started by `enclave run`, as a service of the hub.")
        prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/services/portal/")
        return cls(
            api_url=os.environ["JUPYTERHUB_API_URL"].rstrip("/"),
            api_token=os.environ["JUPYTERHUB_API_TOKEN"],
            client_id=os.environ.get("JUPYTERHUB_CLIENT_ID", "service-portal"),
            prefix=prefix if prefix.endswith("/") else prefix + "/",
            public_hub=os.environ.get("JUPYTERHUB_BASE_URL", "/").rstrip("/") + "/hub/",
        )

    @property
    def callback(self) -> str:
        """The path that the hub sends a browser back to after its login."""
        return f"{self.prefix}oauth_callback"


@dataclass(frozen=True)
class Server:
    """A named server as the hub tells of it; `pending` is spawn, stop or None."""

    name: str
    ready: bool
    pending: str | None


class HubClient:
    """Calls of the hub that raise this project's errors, with sentences, in place of HTTP's."""

    def __init__(self, service: HubService, transport: httpx.BaseTransport | None = None) -> None:
        self.service = service
        self._http = httpx.Client(base_url=service.api_url, timeout=TIMEOUT, transport=transport)

    def authorize_url(self, state: str) -> str:
        """Where a browser goes to log in; a path, as hub and portal share their origin."""
        query = {
            "client_id": self.service.client_id,
            "redirect_uri": self.service.callback,
            "response_type": "code",
            "state": state,
        }
        return f"{self.service.public_hub}api/oauth2/authorize?{urlencode(query)}"

    def token_for_code(self, code: str) -> str:
        """Exchanges the hub's one-time code for a token of the person; raises NotPermitted when it is not good."""
        answer = self._send(
            "POST",
            "/oauth2/token",
            data={
                "client_id": self.service.client_id,
                "client_secret": self.service.api_token,
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.service.callback,
            },
        )
        token = answer.json().get("access_token") if answer.status_code == httpx.codes.OK else None
        if not isinstance(token, str):
            raise NotPermitted("The hub did not accept this login. Go back to the portal and log in again.")
        return token

    def person_of(self, token: str) -> str | None:
        """Whose token this is, when it still opens the portal; None when the hub no longer honours it."""
        answer = self._send("GET", "/user", headers={"Authorization": f"Bearer {token}"})
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}:
            return None
        if answer.status_code != httpx.codes.OK:
            raise Refused(f"The hub answered {answer.status_code} when asked who you are. Try again in a minute.")
        model = answer.json()
        name, scopes = model.get("name"), model.get("scopes", [])
        wanted = {"access:services", f"access:services!service={self.service.client_id.removeprefix('service-')}"}
        if model.get("kind") != "user" or not isinstance(name, str) or not wanted & set(scopes):
            return None
        return name

    def servers(self, person: str) -> dict[str, Server]:
        """The person's servers by name, those that are starting or stopping too."""
        answer = self._send("GET", f"/users/{quote(person, safe='')}", own=True)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return {}
        self._check(answer, "asked for your sessions")
        return {
            name: Server(name, bool(model.get("ready")), model.get("pending"))
            for name, model in answer.json().get("servers", {}).items()
        }

    def start(self, person: str, project: str) -> None:
        """Asks for the person's session in that project; the hub goes on in the background."""
        path = f"/users/{quote(person, safe='')}/servers/{quote(project, safe='')}"
        answer = self._send("POST", path, own=True, json={})
        if answer.status_code == httpx.codes.BAD_REQUEST and "already" in answer.text:
            return
        # Of two requests at the same moment the hub answers the second with 500, although the first is under way.
        if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
            server = self.servers(person).get(project)
            if server is not None and (server.ready or server.pending):
                return
        self._check(answer, "asked to start the session")

    def stop(self, person: str, project: str) -> None:
        """Stops that session; one that does not run is no error."""
        path = f"/users/{quote(person, safe='')}/servers/{quote(project, safe='')}"
        answer = self._send("DELETE", path, own=True)
        if answer.status_code not in {httpx.codes.NOT_FOUND, httpx.codes.BAD_REQUEST}:
            self._check(answer, "asked to stop the session")

    def _send(self, method: str, path: str, *, own: bool = False, **options: Any) -> httpx.Response:
        if own:
            options["headers"] = {"Authorization": f"Bearer {self.service.api_token}"}
        try:
            return self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise Refused("The hub does not answer. Nothing was changed; try again in a minute.") from error

    @staticmethod
    def _check(answer: httpx.Response, what: str) -> None:
        if answer.is_success:
            return
        try:
            message = str(answer.json().get("message", ""))
        except ValueError:
            message = ""
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotFound(message or f"The hub knows nothing of it, when {what}.")
        if answer.status_code == httpx.codes.FORBIDDEN:
            raise NotPermitted(message or f"The hub refused when {what}.")
        raise Refused(f"The hub answered {answer.status_code} when {what}. {message}".strip())
