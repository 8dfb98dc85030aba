"""Secrets: made once, private, and refused when others may read them."""

import stat
from pathlib import Path

import pyotp
import pytest

from access_control.errors import Refused
from access_control.settings import Settings
from hub import keys


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_root=tmp_path / "data")


def test_secrets_are_made_once_and_are_private(settings: Settings) -> None:
    keys.ensure_all(settings)
    before = {name: keys.read_secret(settings, name) for name in keys.SECRETS}
    keys.ensure_all(settings)
    assert {name: keys.read_secret(settings, name) for name in keys.SECRETS} == before
    assert len(set(before.values())) == len(keys.SECRETS)
    assert stat.S_IMODE(settings.keys.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in settings.keys.iterdir()} == {0o600}


@pytest.mark.parametrize(("change", "sentence"), [("open", "may read"), ("empty", "empty"), ("gone", "cannot be read")])
def test_a_secret_that_is_not_right_is_refused(settings: Settings, change: str, sentence: str) -> None:
    keys.ensure_all(settings)
    path = settings.keys / "ticket.key"
    if change == "open":
        path.chmod(0o644)
    elif change == "empty":
        path.write_text("")
    else:
        path.unlink()
    with pytest.raises(Refused, match=sentence):
        keys.read_secret(settings, "ticket.key")


def test_demo_people_keep_their_credentials_and_new_ones_get_theirs(settings: Settings) -> None:
    first = keys.demo_credentials(settings, ["ana"])
    both = keys.demo_credentials(settings, ["ana", "bo"])
    assert both["ana"] == first["ana"]
    assert both["bo"].password != both["ana"].password
    assert pyotp.TOTP(both["bo"].totp_seed).verify(pyotp.TOTP(both["bo"].totp_seed).now(), valid_window=1)
