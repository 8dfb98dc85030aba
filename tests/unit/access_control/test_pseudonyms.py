import os
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from access_control.errors import Refused
from access_control.pseudonyms import KEY_FILE, Keyed, Pseudonym, derive, master_key, spelling
from access_control.settings import Settings

MASTER = bytes(range(32))
PATIENTS = Pseudonym(per_project=True, domain="hiv.patient")


def names(project: str, values: list[object], rule: Pseudonym = PATIENTS, master: bytes = MASTER) -> list[str]:
    return rule.keyed(master, project).apply(pa.array(values)).to_pylist()


def test_one_person_has_one_name_within_a_project() -> None:
    first, second, again, missing = names("p17", ["a", "b", "a", None])
    assert first == again != second
    assert missing is None
    assert names("p17", ["a"]) == [first]
    assert len(first) == 16


def test_two_projects_cannot_be_joined() -> None:
    values = [f"person {n}" for n in range(1000)]
    assert not set(names("p17", values)) & set(names("p18", values))
    assert len(set(names("p17", values))) == 1000


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Pseudonym(per_project=True, domain="hiv.patient"), Pseudonym(per_project=True, domain="hiv.village")),
        (Pseudonym(per_project=True, domain="hiv.patient"), Pseudonym(per_project=False, domain="hiv.patient")),
    ],
)
def test_domains_and_scopes_have_their_own_keys(one: Pseudonym, other: Pseudonym) -> None:
    assert names("p17", ["a"], one) != names("p17", ["a"], other)


def test_a_shared_domain_joins_two_datasets_of_a_project() -> None:
    nhs = Pseudonym(per_project=True, domain="nhs-number")
    assert names("p17", [5], nhs) == names("p17", [5.0], nhs) == names("p17", ["5 "], nhs)


def test_the_same_in_all_projects_when_so_declared() -> None:
    rule = Pseudonym(per_project=False, domain="d")
    assert names("p17", ["a"], rule) == names("p18", ["a"], rule)


def test_another_secret_gives_other_names() -> None:
    assert names("p17", ["a"]) != names("p17", ["a"], master=bytes(32))


def test_no_project_no_key() -> None:
    with pytest.raises(Refused, match="say for which project"):
        PATIENTS.keyed(MASTER, None)
    with pytest.raises(Refused, match="have no key"):
        PATIENTS.apply(pa.array(["a"]))


def test_derived_keys_are_pinned() -> None:
    # Pseudonyms of published versions must stay as they are: a change of the derivation would break every study.
    assert derive(MASTER, "d", "p17").hex()[:16] == "388a761a51ee572f"
    assert Keyed(derive(MASTER, "d", "p17"), "").of("a") == "uov7ktqxt4mv35ca"


def test_spelling_is_canonical() -> None:
    assert spelling(5.0) == spelling(5) == spelling("5") == b"5"
    assert spelling("e\u0301") == spelling("\u00e9")
    assert spelling(5.5) == b"5.5"


def test_missing_numbers_get_no_name() -> None:
    assert names("p17", [float("nan"), None, 1.0])[:2] == [None, None]


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    settings = Settings(data_root=tmp_path)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(master_key(settings))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found[0]) == 32
    path = settings.keys / KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert settings.keys.stat().st_mode & 0o777 == 0o700
    assert os.listdir(settings.keys) == [KEY_FILE]


@pytest.mark.parametrize(
    ("text", "mode", "fault"),
    [("00" * 32, 0o644, "chmod 600"), ("00" * 8, 0o600, "32 bytes"), ("?", 0o600, "32 bytes")],
)
def test_a_secret_that_cannot_be_trusted_is_refused(tmp_path: Path, text: str, mode: int, fault: str) -> None:
    settings = Settings(data_root=tmp_path)
    settings.keys.mkdir()
    path = settings.keys / KEY_FILE
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(Refused, match=fault):
        master_key(settings)
