"""The embedded login provider: Canaille, a real OpenID Connect provider, with the demo's people and two factors.

It keeps nothing but its signing key; people are read from keys/people.json at each start. For demo and tests; a real
enclave points `login.issuer` at its institution's provider.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import logging
import os
from typing import Any

from joserfc.jwk import RSAKey

from access_control.database import open_database, reading
from access_control.models import Person
from access_control.settings import Settings, load_settings
from hub import oidc
from hub.keys import demo_credentials, read_secret, write_private
from hub.ports import load_ports


def signing_key(settings: Settings) -> dict[str, Any]:
    """The provider's RSA key, made at the first start and kept in keys/provider.jwk."""
    path = settings.keys / "provider.jwk"
    if not path.exists():
        key = RSAKey.generate_key(3072, auto_kid=True)
        write_private(path, json.dumps(key.as_dict(private=True)) + "\n")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def configuration(settings: Settings) -> dict[str, Any]:
    """Canaille's configuration: password, then one-time code; nobody can register; only the hub is a client."""
    public = oidc.embedded_origin(settings).split("://", 1)[1]
    return {
        "SECRET_KEY": read_secret(settings, "provider.secret"),
        "SERVER_NAME": public,
        "PREFERRED_URL_SCHEME": settings.web.scheme,
        "TRUSTED_HOSTS": [public],
        "SESSION_COOKIE_NAME": "login-provider",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "CANAILLE": {
            "NAME": "Demo login",
            "DATABASE": "memory",
            "AUTHENTICATION_FACTORS": ["password", "otp"],
            "OTP_METHOD": "TOTP",
            "ENABLE_REGISTRATION": False,
            "ENABLE_PASSWORD_RECOVERY": False,
            "CAPTCHA_ENABLED": False,
            "FORCE_HTTPS": settings.web.scheme == "https",
            "LOGGING": {
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {"out": {"class": "logging.StreamHandler"}},
                "root": {"level": "INFO", "handlers": ["out"]},
            },
        },
        "CANAILLE_OIDC": {
            "ACTIVE_JWKS": [signing_key(settings)],
            "REQUIRE_NONCE": True,
            "TRUSTED_DOMAINS": [settings.web.host],  # no question of consent for the hub
            "USERINFO_MAPPING": {"PREFERRED_USERNAME": "{{ user.user_name }}"},
        },
    }


def make_app(settings: Settings) -> Any:
    """The provider as a WSGI application, with every person of the table in it."""
    if settings.web.scheme == "http":
        # Authlib refuses plain HTTP; on this machine's own *.localhost there is nothing to listen in on.
        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    import canaille
    from canaille.app import models
    from canaille.backends import Backend

    app = canaille.create_app(config=configuration(settings))
    with reading(open_database(settings.database)) as db:
        people = [(person.id, person.name, person.email) for person in db.query(Person).order_by(Person.id)]
    known = demo_credentials(settings, [person for person, _, _ in people])
    now = dt.datetime.now(dt.UTC)
    with app.app_context():
        for person, name, email in people:
            given, _, family = name.partition(" ")
            user = models.User(
                user_name=person,
                given_name=given,
                family_name=family or given,
                formatted_name=name,
                emails=[email],
                secret_token=base64.b32decode(known[person].totp_seed).decode(),
                last_otp_login=now,
            )
            Backend.instance.save(user)
            Backend.instance.set_user_password(user, known[person].password)
        client = models.Client(
            client_id=oidc.EMBEDDED_CLIENT,
            client_secret=read_secret(settings, "oidc-client.secret"),
            client_name="Data enclave",
            client_uri=settings.web.origin,
            redirect_uris=[f"{settings.web.origin}/hub/oauth_callback"],
            grant_types=["authorization_code"],
            response_types=["code"],
            scope=["openid", "profile", "email"],
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - the name of a method
            id_token_signed_response_alg="RS256",  # noqa: S106 - an algorithm's name
            client_id_issued_at=now,
            contacts=[],
        )
        Backend.instance.save(client)
        client.audience = [client]
        Backend.instance.save(client)
    return app


def main() -> None:
    """Serves the provider on its own port of 127.0.0.1; the proxy brings browsers to it."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    logging.basicConfig(level=logging.INFO)
    settings = load_settings()
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    server = make_server("127.0.0.1", load_ports(settings).provider, make_app(settings), threaded=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
