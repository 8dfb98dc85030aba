"""JupyterHub's configuration, all of it from the enclave's settings; `enclave run` starts the hub with it."""

from __future__ import annotations

import logging
import sys
from typing import Any

from sqlalchemy import Engine

from access_control.database import open_database
from access_control.errors import AccessError
from access_control.keeper import PolicyKeeper
from access_control.settings import Settings, load_settings
from hub import oidc
from hub.authenticator import EnclaveAuthenticator
from hub.engine_room import EngineRoom
from hub.keys import read_secret
from hub.ports import Ports, load_ports
from hub.proxy import OTHER_HOST, HostProxy
from hub.reconcile import reconcile
from hub.spawner import EnclaveSpawner, refuse_options

PORTAL = "/services/portal/"
LOGIN_DAYS = 0.5

# What a person may do at the hub. JupyterHub's own `user` role also lets them make API tokens, with which a program
# would skip every control of the browser, and share servers; both are left out.
USER_SCOPES = [
    "read:users:name!user",
    "read:users:groups!user",  # the hub gives it to every OAuth token that says who one is
    "read:users:groups!user",  # the hub gives every login of a service both, or none
    "read:servers!user",
    "start:servers!user",
    "delete:servers!user",
    "access:services!service=portal",
]
PORTAL_SCOPES = ["start:servers", "delete:servers", "read:servers", "list:users", "read:users:name"]
WARDEN_SCOPES = ["delete:servers", "read:servers", "list:users", "read:users:name"]


def configure(c: Any, settings: Settings, ports: Ports, engine: Engine) -> None:
    """Fills JupyterHub's configuration object."""
    secure = settings.web.scheme == "https"
    hub = c.JupyterHub
    hub.bind_url = settings.web.origin
    hub.public_url = settings.web.origin + "/"
    hub.hub_bind_url = ports.url("hub")
    hub.db_url = f"sqlite:///{settings.data_root / 'hub.sqlite'}"
    hub.cookie_secret = bytes.fromhex(read_secret(settings, "cookie.secret"))
    hub.cookie_max_age_days = LOGIN_DAYS
    # A session's script can set cookies for all of the domain, but none with this prefix, which TLS is needed for.
    hub.cookie_host_prefix_enabled = secure
    hub.default_url = PORTAL
    hub.redirect_to_server = False
    hub.allow_named_servers = True
    hub.admin_access = False
    hub.concurrent_spawn_limit = 100
    # A hub that restarts leaves the sessions and the proxy alone.
    hub.cleanup_servers = False
    hub.cleanup_proxy = False
    hub.shutdown_on_logout = False
    hub.authenticate_prometheus = True
    hub.tornado_settings = {
        "headers": {
            "Content-Security-Policy": "frame-ancestors 'none'; default-src 'self'; img-src 'self' data:;"
            " style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; form-action 'self' "
            + _provider_origin(settings),
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        },
        "cookie_options": {"secure": secure, "samesite": "Lax"},
    }
    hub.load_roles = [
        {"name": "user", "scopes": USER_SCOPES},
        {"name": "portal", "services": ["portal"], "scopes": PORTAL_SCOPES},
        {"name": "warden", "services": ["warden"], "scopes": WARDEN_SCOPES},
    ]
    hub.services = [
        {
            "name": "portal",
            "url": ports.url("portal"),
            "api_token": read_secret(settings, "portal.token"),
            "oauth_no_confirm": True,
            "display": False,
        },
        {"name": "warden", "api_token": read_secret(settings, "warden.token")},
    ]
    _configure_proxy(c, settings, ports)
    _configure_login(c, settings, ports, engine)
    _configure_sessions(c, settings, ports, engine)


def _provider_origin(settings: Settings) -> str:
    return oidc.embedded_origin(settings) if settings.login.embedded else "/".join(settings.login.issuer.split("/")[:3])


def _configure_proxy(c: Any, settings: Settings, ports: Ports) -> None:
    c.JupyterHub.proxy_class = HostProxy
    c.JupyterHub.proxy_check_interval = 5
    c.HostProxy.public_host = settings.web.host
    c.HostProxy.should_start = False
    c.HostProxy.api_url = ports.url("proxy_api")
    c.HostProxy.auth_token = read_secret(settings, "proxy.token")
    if settings.login.embedded:
        c.HostProxy.extra_routes = {f"{OTHER_HOST}login.{settings.web.host}/": ports.url("provider")}


def _configure_login(c: Any, settings: Settings, ports: Ports, engine: Engine) -> None:
    login = settings.login
    if login.embedded:
        endpoints, client_id = oidc.embedded_endpoints(settings, ports), oidc.EMBEDDED_CLIENT
        secret = read_secret(settings, "oidc-client.secret")
    else:
        endpoints, client_id = oidc.discover(login.issuer), login.client_id
        secret = login.client_secret_file.read_text().strip() if login.client_secret_file else ""
    c.JupyterHub.authenticator_class = EnclaveAuthenticator
    # Not through `c`: traitlets would copy them.
    EnclaveAuthenticator.settings, EnclaveAuthenticator.engine = settings, engine
    EnclaveAuthenticator.endpoints = endpoints
    auth = c.EnclaveAuthenticator
    auth.login_service = "your institution"
    auth.auto_login = True
    auth.client_id, auth.client_secret = client_id, secret
    auth.authorize_url, auth.token_url, auth.userdata_url = endpoints.authorize, endpoints.token, endpoints.userinfo
    auth.oauth_callback_url = f"{settings.web.origin}/hub/oauth_callback"
    auth.scope = ["openid", "profile", "email"]
    auth.username_claim = login.username_claim
    auth.enable_pkce = True
    auth.enable_auth_state = False
    auth.auth_refresh_age = 30
    auth.refresh_pre_spawn = True
    # The table of people decides, in check_allowed; nothing else lets anyone in.
    auth.allow_all = False
    auth.allow_existing_users = False
    auth.any_allow_config = True
    auth.admin_users = set()
    auth.delete_invalid_users = False


def _configure_sessions(c: Any, settings: Settings, ports: Ports, engine: Engine) -> None:
    room = EngineRoom(settings)
    try:
        found = reconcile(engine, settings, room)
        logging.getLogger("enclave").warning("sessions: %s", found)
    except AccessError as error:
        # The hub starts all the same, so that people can read why; no session starts without Docker.
        logging.getLogger("enclave").error("sessions could not be looked through: %s", error)  # noqa: TRY400
    c.JupyterHub.spawner_class = EnclaveSpawner
    EnclaveSpawner.settings, EnclaveSpawner.engine, EnclaveSpawner.room = settings, engine, room
    EnclaveSpawner.keeper = PolicyKeeper(engine, settings.data_root)
    EnclaveSpawner.gateway_url = ports.url("gateway")
    spawner = c.EnclaveSpawner
    spawner.image = settings.session.image
    spawner.pull_policy = "never"
    spawner.remove = True
    spawner.network_name = "none"
    spawner.format_volume_name = lambda name, _spawner: name
    spawner.apply_user_options = refuse_options
    spawner.server_token_scopes = ["users:activity!user"]
    spawner.start_timeout = settings.session.start_timeout_seconds + 30
    spawner.http_timeout = settings.session.start_timeout_seconds
    spawner.poll_interval = 5
    spawner.consecutive_failure_limit = 0


if "get_config" in globals():
    try:
        _settings = load_settings()
        configure(get_config(), _settings, load_ports(_settings), open_database(_settings.database))  # type: ignore[name-defined]  # noqa: F821 - JupyterHub gives it
    except AccessError as error:
        sys.exit(str(error))
