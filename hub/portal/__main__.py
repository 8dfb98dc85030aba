"""`python -m hub.portal`: serves the portal on the address that the hub knows it by."""

from __future__ import annotations

import logging
import os
import sys
from urllib.parse import urlsplit

import uvicorn

from access_control.errors import AccessError
from access_control.settings import load_settings
from hub.portal.app import make_app, make_portal
from hub.portal.hubapi import HubService
from hub.ports import load_ports


def main() -> int:
    """Runs until it is told to stop; 1 when something is missing, with a sentence that says what."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = load_settings()
        url = os.environ.get("JUPYTERHUB_SERVICE_URL") or load_ports(settings).url("portal")
        app = make_app(make_portal(settings, HubService.from_environment()))
    except AccessError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    address = urlsplit(url)
    uvicorn.run(
        app,
        host=address.hostname or "127.0.0.1",
        port=address.port or 80,
        log_level="warning",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
