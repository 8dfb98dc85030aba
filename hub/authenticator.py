"""Login: an OpenID Connect provider says who it is, the table of people whether they come in; the log keeps both."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, ClassVar

from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.oauth2 import OAuthLoginHandler, _deserialize_state, _serialize_state
from sqlalchemy import Engine, select
from tornado import web
from tornado.httpclient import HTTPClientError

from access_control import audit
from access_control.audit import Act
from access_control.database import reading, writing
from access_control.errors import AccessError, NotPermitted, Refused
from access_control.models import Person
from access_control.settings import Settings
from hub import oidc
from hub.oidc import Endpoints


def admit(engine: Engine, username: str, subject: str) -> None:
    """Lets a person in whom the provider has vouched for, or raises NotPermitted; either is written to the log.

    The provider's `sub` is bound to the person at the first login: a name that the provider gives to somebody else
    later does not open the account.
    """
    refusal = None
    with writing(engine) as db:
        person = db.get(Person, username)
        other = db.scalars(select(Person).where(Person.subject == subject)).first()
        if person is None:
            refusal = "You are not on the enclave's list of people. Ask an administrator to add you."
        elif person.suspended:
            refusal = "Your account is suspended. Ask an administrator why."
        elif person.subject is not None and person.subject != subject:
            refusal = (
                "Your login provider now knows you by another identity than at your first login."
                " An administrator has to look."
            )
        elif other is not None and other.id != username:
            refusal = (
                "Your login provider's identity belongs to another person of the enclave. An administrator has to look."
            )
        else:
            person.subject = subject
        act = Act.LoginFailed if refusal else Act.LoginSucceeded
        details = {"subject": subject} | ({"reason": refusal} if refusal else {})
        audit.record(db, act, actor=username, subject=f"person:{username}", details=details)
    if refusal:
        raise NotPermitted(refusal)


def still_admitted(engine: Engine, username: str) -> bool:
    """Whether the person is on the list and not suspended."""
    with reading(engine) as db:
        person = db.get(Person, username)
        return person is not None and not person.suspended


class LoginHandler(OAuthLoginHandler):  # type: ignore[misc]  # OAuthenticator has no types
    """Adds a nonce to the login, remembered in the same signed cookie as the state."""

    def set_state_cookie(self, state_cookie_value: str) -> None:
        """Puts the nonce into the cookie's value."""
        state = _deserialize_state(state_cookie_value) | {"nonce": self._nonce}
        super().set_state_cookie(_serialize_state(state))

    def authorize_redirect(self, *, extra_params: dict[str, Any], **rest: Any) -> None:
        """Puts the nonce into the request to the provider."""
        super().authorize_redirect(extra_params=extra_params | {"nonce": self._nonce}, **rest)

    def prepare(self) -> Any:
        """Makes this login's nonce."""
        self._nonce = secrets.token_urlsafe(24)
        return super().prepare()


class EnclaveAuthenticator(GenericOAuthenticator):  # type: ignore[misc]  # OAuthenticator has no types
    """OAuthenticator with its three gaps closed: nonce, verified id_token, and a check on each refresh."""

    login_handler = LoginHandler
    # Set once by jupyterhub_config.py, for the one hub of this process.
    settings: ClassVar[Settings]
    engine: ClassVar[Engine]
    endpoints: ClassVar[Endpoints]

    def build_token_info_request_headers(self) -> dict[str, str]:
        """Adds the provider's host name where the hub connects to its port."""
        return {**super().build_token_info_request_headers(), **self.endpoints.headers}

    def build_userdata_request_headers(self, access_token: str, token_type: str) -> dict[str, str]:
        """As above."""
        return {**super().build_userdata_request_headers(access_token, token_type), **self.endpoints.headers}

    async def authenticate(self, handler: Any, data: Any = None, **_: Any) -> dict[str, Any]:
        """Exchanges the code, verifies what came back, and admits the person; a refusal is a page with its sentence."""
        try:
            token_info = await self.get_token_info(handler, self.build_access_tokens_request_params(handler, data))
        except (HTTPClientError, OSError) as error:
            body = getattr(getattr(error, "response", None), "body", b"")[:500]
            self.log.error("the login provider did not exchange the code: %s %r", error, body)  # noqa: TRY400 - no trace needed
            raise web.HTTPError(
                502, "Your login provider did not complete the login. Try again; if it stays so, tell an administrator."
            ) from error
        nonce = _deserialize_state(handler.get_state_cookie()).get("nonce")
        claimed = "<unknown>"
        try:
            if not nonce:
                raise NotPermitted("This login was not begun here. Log in again from the start.")
            keys = await asyncio.to_thread(oidc.fetch_keys, self.endpoints)
            claims = oidc.verified_claims(
                str(token_info.get("id_token", "")),
                keys,
                issuer=self.endpoints.issuer,
                client_id=self.client_id,
                nonce=nonce,
            )
            claimed = str(claims.get(self.settings.login.username_claim) or "")
            if not claimed and self.endpoints.userinfo:
                more = await self.token_to_user(token_info)
                if more.get("sub") != claims["sub"]:
                    raise NotPermitted("The provider's user information is about somebody else than its login token.")
                claimed = str(more.get(self.settings.login.username_claim) or "")
            if not claimed:
                raise NotPermitted(
                    f"Your login provider does not say your {self.settings.login.username_claim}; an administrator has"
                    " to set login.username_claim to a claim that it does say."
                )
            claimed = self.normalize_username(claimed)
            oidc.check_second_factor(claims, self.settings.login)
        except AccessError as error:
            await asyncio.to_thread(self._record_failure, claimed or "<unknown>", str(error))
            raise web.HTTPError(503 if isinstance(error, Refused) else 403, str(error)) from error
        try:
            await asyncio.to_thread(admit, self.engine, claimed, str(claims["sub"]))
        except AccessError as error:
            raise web.HTTPError(403, str(error)) from error
        # No token of the provider is kept: nothing here needs one after the login.
        return {"name": claimed, "admin": None, "auth_state": None}

    async def check_allowed(self, username: str, auth_model: dict[str, Any] | None = None) -> bool:
        """The table of people decides, whatever the provider says."""
        return await asyncio.to_thread(still_admitted, self.engine, username)

    async def refresh_user(self, user: Any, handler: Any = None, **_: Any) -> bool:
        """Asks the table of people again; False ends the login."""
        return await self.check_allowed(user.name)

    def _record_failure(self, username: str, reason: str) -> None:
        with writing(self.engine) as db:
            audit.record(db, Act.LoginFailed, actor=username, subject=f"person:{username}", details={"reason": reason})
