from pathlib import Path

import pytest

from access_control.settings import Settings
from egress_review.errors import Refused
from egress_review.signing import (
    enclave_key,
    key_id,
    pem,
    public_from_pem,
    reviewer_public,
    sign_as,
    verify,
)  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_root=tmp_path)


def test_each_reviewer_has_a_key_that_stays(settings: Settings) -> None:
    signature, key = sign_as(settings, "sam", "text")
    verify(reviewer_public(settings, "sam"), "text", signature, "sam")
    assert sign_as(settings, "sam", "text") == (signature, key)
    assert sign_as(settings, "sue", "text")[1] != key
    assert key_id(reviewer_public(settings, "sam")) == key


def test_keys_are_secret(settings: Settings) -> None:
    sign_as(settings, "sam", "text")
    enclave_key(settings)
    path = settings.keys / "reviewers" / "sam.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (settings.keys / "release.pem").stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in path.parent.iterdir()) == ["sam.pem"]


@pytest.mark.parametrize(("text", "signature"), [("other", None), ("text", "00" * 64), ("text", "zz"), ("text", "")])
def test_a_wrong_signature_is_refused(settings: Settings, text: str, signature: str | None) -> None:
    good, _ = sign_as(settings, "sam", "text")
    with pytest.raises(Refused, match="does not verify"):
        verify(reviewer_public(settings, "sam"), text, good if signature is None else signature, "sam")


@pytest.mark.parametrize("person", ["../sam", "sam/sue", "", "a..b", "Sam", "<warden>"])
def test_no_id_leads_out_of_the_folder(settings: Settings, person: str) -> None:
    with pytest.raises(Refused, match="no person's id"):
        sign_as(settings, person, "text")


def test_a_missing_or_broken_key_is_said(settings: Settings) -> None:
    with pytest.raises(Refused, match="missing"):
        reviewer_public(settings, "sam")
    sign_as(settings, "sam", "text")
    (settings.keys / "reviewers" / "sam.pem").write_text("broken")
    with pytest.raises(Refused, match="cannot be read"):
        sign_as(settings, "sam", "text")


def test_the_public_key_is_published_and_read_back(settings: Settings) -> None:
    public = enclave_key(settings).public_key()
    assert (settings.keys / "release.pub").read_text() == pem(public)
    assert key_id(public_from_pem(pem(public))) == key_id(public)
    with pytest.raises(Refused):
        public_from_pem("no key")
