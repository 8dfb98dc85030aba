"""OpenID Connect, where defaults will not do: endpoints, the id_token's signature, nonce, second factor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from access_control.errors import NotPermitted, Refused
from access_control.settings import Login, Settings
from hub.ports import Ports

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY_SECONDS = 30
EMBEDDED_CLIENT = "enclave-hub"


@dataclass(frozen=True)
class Endpoints:
    """Where the provider is: `authorize` is for the browser, the others for the hub itself.

    `host` is the Host header that the hub sends where it does not connect by the provider's own name.
    """

    issuer: str
    authorize: str
    token: str
    userinfo: str
    jwks: str
    host: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every call by the hub itself."""
        return {"Host": self.host} if self.host else {}


def embedded_origin(settings: Settings) -> str:
    """The public address of the embedded provider, which is also its issuer."""
    return settings.web.origin.replace("://", "://login.", 1)


def embedded_endpoints(settings: Settings, ports: Ports) -> Endpoints:
    """The embedded provider: browsers reach it through the proxy, the hub on its own port (no name to resolve)."""
    public, inside = embedded_origin(settings), ports.url("provider")
    return Endpoints(
        issuer=public,
        authorize=f"{public}/oauth/authorize",
        token=f"{inside}/oauth/token",
        userinfo=f"{inside}/oauth/userinfo",
        jwks=f"{inside}/oauth/jwks.json",
        host=public.split("://", 1)[1],
    )


def discover(issuer: str, timeout: float = 10) -> Endpoints:
    """Reads a provider's own description; raises Refused when it is not there, or when it names another issuer."""
    address = issuer.rstrip("/") + "/.well-known/openid-configuration"
    try:
        answer = httpx.get(address, timeout=timeout, follow_redirects=True)
        answer.raise_for_status()
        found = answer.json()
        endpoints = Endpoints(
            issuer=found["issuer"],
            authorize=found["authorization_endpoint"],
            token=found["token_endpoint"],
            userinfo=found.get("userinfo_endpoint", ""),
            jwks=found["jwks_uri"],
        )
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise Refused(
            f"The login provider's description at {address} cannot be read: {error}. Check login.issuer."
        ) from error
    if endpoints.issuer.rstrip("/") != issuer.rstrip("/"):
        raise Refused(
            f"{address} says that its issuer is {endpoints.issuer}; login.issuer is {issuer}. They must be equal."
        )
    return endpoints


def fetch_keys(endpoints: Endpoints, timeout: float = 10) -> jwt.PyJWKSet:
    """The provider's signing keys; raises Refused when they cannot be had."""
    try:
        answer = httpx.get(endpoints.jwks, headers=endpoints.headers, timeout=timeout)
        answer.raise_for_status()
        return jwt.PyJWKSet.from_dict(answer.json())
    except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
        raise Refused(
            f"The login provider's keys at {endpoints.jwks} cannot be read: {error}. Try again in a minute."
        ) from error


def verified_claims(
    id_token: str, keys: jwt.PyJWKSet, *, issuer: str, client_id: str, nonce: str | None
) -> dict[str, Any]:
    """The claims of an id_token whose signature, issuer, audience, times and nonce are right; else raises NotPermitted.

    OpenID Connect Core 1.0, section 3.1.3.7; no token is taken on the connection's word.
    """
    try:
        header = jwt.get_unverified_header(id_token)
        if header.get("alg") not in ALGORITHMS:
            raise NotPermitted(f"The login token is signed with {header.get('alg')!r}, which is not accepted.")
        candidates = [key for key in keys.keys if "kid" not in header or key.key_id in (None, header["kid"])]
        if not candidates:
            raise NotPermitted("The login token is signed with a key that the provider does not publish.")
        claims = _decode(id_token, candidates, issuer=issuer, client_id=client_id)
    except jwt.PyJWTError as error:
        raise NotPermitted(f"The login token of the provider is not valid: {error}") from error
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if len(audience) > 1 and claims.get("azp") != client_id:
        raise NotPermitted("The login token was issued to another application.")
    if nonce is not None and claims.get("nonce") != nonce:
        raise NotPermitted("The login token answers another login than this one. Log in again from the start.")
    return claims


def _decode(id_token: str, candidates: list[jwt.PyJWK], *, issuer: str, client_id: str) -> dict[str, Any]:
    last: jwt.PyJWTError | None = None
    for key in candidates:
        try:
            return jwt.decode(
                id_token,
                key,
                algorithms=[key.algorithm_name],
                audience=client_id,
                issuer=issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            last = error
    assert last is not None  # noqa: S101 - there was at least one candidate
    raise last


def check_second_factor(claims: Mapping[str, Any], login: Login) -> None:
    """Raises NotPermitted unless the provider says, in `amr` or `acr`, that more than a password was asked for."""
    if not login.require_mfa:
        return
    methods = claims.get("amr")
    if isinstance(methods, str):  # RFC 8176 has a list; some providers send their one value bare
        methods = [methods]
    level = claims.get("acr")
    if isinstance(methods, list) and set(login.accepted_amr) & {one for one in methods if isinstance(one, str)}:
        return
    if isinstance(level, str) and level in login.accepted_acr:
        return
    raise NotPermitted(
        "You logged in without a second factor, and the enclave asks for one. Set up one-time codes or a security key"
        f" at your login provider, then log in again. (The provider said amr={methods!r}, acr={level!r}.)"
    )
