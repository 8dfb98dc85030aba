"""Puts the enclave together: JupyterHub, spawner, gateway, warden, portal, command line and demo."""
