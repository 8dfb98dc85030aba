"""Folders that a session writes to: its workspace, kept for the project, and its socket's folder, one a session."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from access_control.errors import Invalid, Refused
from access_control.settings import Settings

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SESSION = re.compile(r"[0-9a-f]{32}")
SOCKET_NAME = "jupyter.sock"
DISPLAY_NAME = "display.sock"  # in a tier that shows pictures only


def _check_slug(name: str, what: str) -> None:
    if not _SLUG.fullmatch(name):
        raise Invalid(f"{name!r} is no {what}: only a-z, 0-9 and the hyphen, 63 characters at most")


def _own_folder(path: Path, uid: int, mode: int) -> Path:
    """Makes the folder when it is missing and gives it to the session's user; never through a link."""
    try:
        path.mkdir(mode=mode, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"The folder {path} cannot be made ({error.strerror}). An administrator has to look: enclave doctor"
        ) from error
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchown(handle, uid, uid)
        os.fchmod(handle, mode)
    finally:
        os.close(handle)
    return path


def workspace(settings: Settings, project: str, person: str) -> Path:
    """The workspace of a person in a project: no other project and no other person shares it."""
    _check_slug(project, "project's id")
    _check_slug(person, "person's id")
    folder = settings.workspaces / project
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _own_folder(folder / person, settings.session.uid, 0o700)


def socket_name(settings: Settings, tier: int) -> str:
    """What a session of that tier answers on: JupyterLab, or a display of which the gateway passes on the pictures."""
    return DISPLAY_NAME if settings.tiers[tier].pixels_only else SOCKET_NAME


def session_folder(settings: Settings, session_id: str) -> Path:
    """The folder of a session's socket below run/sessions/; nothing else is ever in it."""
    if not _SESSION.fullmatch(session_id):
        raise Invalid(f"{session_id!r} is no session's id")
    above = settings.run / "sessions"
    above.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _own_folder(above / session_id, settings.session.uid, 0o700)


def about_file(settings: Settings, session_id: str) -> Path:
    """Where a session's list of mounts is kept, to be shown in it read-only."""
    folder = settings.run / "about"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{session_id}.md"


def remove_session_folder(settings: Settings, session_id: str) -> None:
    """Removes what a session leaves in the run folder; its workspace stays."""
    if not _SESSION.fullmatch(session_id):
        raise Invalid(f"{session_id!r} is no session's id")
    shutil.rmtree(settings.run / "sessions" / session_id, ignore_errors=True)
    about_file(settings, session_id).unlink(missing_ok=True)
