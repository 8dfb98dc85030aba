"""Folders of sessions: no name leads out of them, no link is followed."""

import os
import stat
from pathlib import Path

import pytest

from access_control.errors import Invalid
from access_control.settings import Session, Settings
from hub import workspaces


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    uid = os.geteuid() if os.geteuid() >= 1000 else 64123
    return Settings(data_root=data, session=Session(uid=uid))


@pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to another user")
def test_a_workspace_is_the_sessions_own(settings: Settings) -> None:
    path = workspaces.workspace(settings, "p17", "ana")
    assert path == settings.workspaces / "p17" / "ana"
    assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (64123, 0o700)
    assert workspaces.workspace(settings, "p17", "ana") == path
    assert workspaces.workspace(settings, "p18", "ana") != path


@pytest.mark.parametrize("name", ["..", "a/b", "", "A", "-a", "a" * 64, "a\n", "ä"])
def test_a_name_that_is_no_slug_is_refused(settings: Settings, name: str) -> None:
    with pytest.raises(Invalid):
        workspaces.workspace(settings, name, "ana")
    with pytest.raises(Invalid):
        workspaces.workspace(settings, "p17", name)


@pytest.mark.parametrize("name", ["..", "0" * 31, "g" * 32, "0" * 32 + "/.."])
def test_what_is_no_session_id_is_refused(settings: Settings, name: str) -> None:
    with pytest.raises(Invalid):
        workspaces.session_folder(settings, name)
    with pytest.raises(Invalid):
        workspaces.remove_session_folder(settings, name)


def test_a_link_in_the_place_of_a_workspace_is_refused(settings: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (settings.workspaces / "p17").mkdir(parents=True)
    (settings.workspaces / "p17" / "ana").symlink_to(elsewhere)
    with pytest.raises(OSError, match=r"directory|symbolic"):
        workspaces.workspace(settings, "p17", "ana")
