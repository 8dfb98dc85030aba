"""The page of JupyterLab, written by the gateway: no menu entry is offered that would only fail, and nothing is loaded
that runs script where a tier shows none.
"""

from __future__ import annotations

import json

from hub.gateway.static_files import TrustedFiles

# What would only fail, or lead out, in an enclave.
DISABLED = (
    "@jupyterlab/apputils-extension:announcements",
    "@jupyterlab/apputils-extension:print",
    "@jupyterlab/docmanager-extension:download",
    "@jupyterlab/extensionmanager-extension",
    "@jupyterlab/filebrowser-extension:download",
    "@jupyterlab/filebrowser-extension:open-browser-tab",
    "@jupyterlab/filebrowser-extension:share-file",
    "@jupyterlab/filebrowser-extension:open-url",
    "@jupyterlab/help-extension:jupyter-forum",
    "@jupyterlab/help-extension:launch-classic",
    "@jupyterlab/apputils-extension:licenses-client",
    "@jupyterlab/apputils-extension:licenses-plugin",
    "@jupyterlab/docmanager-extension:open-browser-tab",
    "@jupyterlab/help-extension:licenses-commands",
    "@jupyterlab/help-extension:open",
    "@jupyterlab/help-extension:resources",
    "@jupyterlab/htmlviewer-extension",
    "@jupyterlab/hub-extension",
    "@jupyterlab/lsp-extension",
    "@jupyterlab/notebook-extension:export",
    "@jupyterlab/notebook-extension:language-server",
    "@jupyterlab/fileeditor-extension:language-server",
    "@jupyterlab/pdf-extension",
    "@jupyterlab/pluginmanager-extension",
    "@jupyterlab/services-extension:nbconvert-manager",
)
UNTRACKED = (
    "comm_info_request", "comm_info_reply", "kernel_info_request", "kernel_info_reply", "shutdown_request",
    "shutdown_reply",
    "interrupt_request", "interrupt_reply", "debug_request", "debug_reply", "stream", "display_data",
    "update_display_data",
    "execute_input", "execute_result", "error", "status", "clear_output", "debug_event", "input_request", "input_reply",
)  # fmt: skip
# What runs what a file or an output holds: an HTML file that its reader calls trusted, charts with a language of their
# own, and script as a kind of output.
SCRIPTED = (
    "@jupyterlab/htmlviewer-extension",
    "@jupyterlab/javascript-extension",
    "@jupyterlab/vega5-extension",
)


def write(files: TrustedFiles, *, tree_path: str, workspace: str, project: str, terminals: bool, script: bool) -> bytes:
    """The page of JupyterLab for a session; `script` is whether what is printed or shown may run any."""
    config = {
        "appName": f"{project} - JupyterLab", "appNamespace": "lab", "appUrl": "/lab", "appVersion": files.version,
        "baseUrl": "/", "wsUrl": "", "token": "", "buildAvailable": False, "buildCheck": False, "cacheFiles": False,
        "delete_to_trash": False, "devMode": False,
        "disabledExtensions": list(DISABLED) + _without(terminals, script),
        "exposeAppInBrowser": True, "extensionManager": {"can_install": False, "install_path": None,
        "name": "read-only"},
        "federated_extensions": files.extensions, "fullAppUrl": "/lab", "fullLabextensionsUrl": "/lab/extensions",
        "fullLicensesUrl": "", "fullListingsUrl": "", "fullMathjaxUrl": "", "fullSettingsUrl": "/lab/api/settings",
        "fullStaticUrl": "/static/lab", "fullThemesUrl": "/lab/api/themes",
        "fullTranslationsApiUrl": "/lab/api/translations", "fullTreeUrl": "/lab/tree",
        "fullWorkspacesApiUrl": "/lab/api/workspaces", "ignorePlugins": [], "labextensionsUrl": "/lab/extensions",
        "listingsUrl": "", "licensesUrl": "", "mode": "multiple-document", "news": {"disabled": True},
        "notebookStartsKernel": True, "notebookVersion": "[2, 0, 0]", "preferredPath": "/", "quitButton": False,
        "serverRoot": "/workspace", "settingsUrl": "/lab/api/settings", "store_id": 0,
        "terminalsAvailable": terminals,
        "themesUrl": "/lab/api/themes", "translationsApiUrl": "/lab/api/translations", "treePath": tree_path,
        "treeUrl": "/lab/tree", "untracked_message_types": list(UNTRACKED), "workspace": workspace,
        "workspacesApiUrl": "/lab/api/workspaces",
    }  # fmt: skip
    data = json.dumps(config).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    main = f"/static/lab/{files.main}?v={files.main.split('.')[1]}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>JupyterLab</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<script id="jupyter-config-data" type="application/json">{data}</script>'
        '<link rel="icon" href="/favicon.ico" class="idle favicon">'
        f'<script defer src="/enclave/page.js"></script><script defer src="{main}"></script></head>'
        '<body class="jp-ThemedContainer"></body></html>'
    ).encode()


def _without(terminals: bool, script: bool) -> list[str]:
    without = [] if terminals else ["@jupyterlab/terminal-extension"]
    return without if script else [*without, *SCRIPTED]
