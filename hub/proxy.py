"""JupyterHub's side of the proxy: hub and portal under their own host, so that no session's host reaches them by path.

The proxy routes by host name. JupyterHub would only add hosts to its routes with `subdomain_host`, which gives every
person a host; here every session has one, added by the gateway. So the host is put in front of the hub's routes here.
"""

from __future__ import annotations

from urllib.parse import quote

from jupyterhub.proxy import ConfigurableHTTPProxy
from traitlets import Unicode

OTHER_HOST = "/="


def to_proxy_path(host: str, routespec: str) -> str:
    """The proxy's path of a route: `/user/ana/p17/` becomes `/enclave.example/user/ana/p17`.

    A routespec such as `/=login.enclave.example/` names its host itself.
    """
    if routespec.startswith(OTHER_HOST):
        return "/" + routespec.removeprefix(OTHER_HOST).rstrip("/")
    return f"/{host}{routespec}".rstrip("/")


def from_proxy_path(host: str, path: str) -> str:
    """The routespec of a path at the proxy; the inverse of `to_proxy_path`."""
    path = quote(path, safe="@/~")
    if path == f"/{host}" or path.startswith(f"/{host}/"):
        path = path.removeprefix(f"/{host}")
    else:
        path = OTHER_HOST + path.lstrip("/")
    return path if path.endswith("/") else path + "/"


class HostProxy(ConfigurableHTTPProxy):  # type: ignore[misc]  # JupyterHub has no types
    """Puts `public_host` in front of every route of the hub."""

    public_host = Unicode(config=True, help="The host name under which hub and portal are reached.")

    def _routespec_to_chp_path(self, routespec: str) -> str:
        return to_proxy_path(self.public_host, self.validate_routespec(routespec))

    def _routespec_from_chp_path(self, chp_path: str) -> str:
        return from_proxy_path(self.public_host, chp_path)
