"""The doctor: each thing that is missing or unsafe is found, with what to do; every check is in the docs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from access_control.settings import Login, Mail, Settings, Web
from hub import doctor
from hub.doctor import Level
from hub.notices.models import Notice, Stage

GOOD_ENGINE = {
    "ServerVersion": "20.10.24", "CgroupVersion": "1", "MemoryLimit": True, "SwapLimit": True, "PidsLimit": True,
    "CpuCfsQuota": True, "SecurityOptions": ["name=seccomp,profile=default"], "MemTotal": 64 * 1024**3,
}  # fmt: skip


def worst(findings: list[doctor.Finding]) -> Level:
    levels = {finding.level for finding in findings}
    return next(level for level in (Level.BAD, Level.WARNING, Level.GOOD) if level in levels or level is Level.GOOD)


@pytest.mark.parametrize(
    ("changed", "level"),
    [
        ({}, Level.GOOD),
        ({"ServerVersion": "19.03.1"}, Level.BAD),
        ({"ServerVersion": "28.1.0"}, Level.GOOD),
        ({"MemoryLimit": False}, Level.BAD),
        ({"SwapLimit": False}, Level.BAD),
        ({"PidsLimit": False}, Level.BAD),
        ({"SecurityOptions": []}, Level.BAD),
        ({"MemTotal": 3 * 1024**3}, Level.WARNING),
    ],
)
def test_docker(changed: dict, level: Level) -> None:
    assert worst(doctor.check_docker(Settings(), {**GOOD_ENGINE, **changed})) is level


def test_without_docker() -> None:
    assert doctor.check_docker(Settings(), None)[0].level is Level.BAD


@pytest.mark.parametrize(
    ("web", "level"),
    [
        (Web(), Level.GOOD),
        (Web(bind="0.0.0.0"), Level.BAD),
        (Web(host="data.example.org"), Level.BAD),
        (Web(scheme="https"), Level.GOOD),
        (Web(scheme="https", certificate=Path("/no/such.pem")), Level.BAD),
    ],
)
def test_tls(web: Web, level: Level) -> None:
    assert worst(doctor.check_tls(Settings(web=web))) is level


@pytest.mark.parametrize(
    ("login", "host", "level"),
    [
        (Login(), "enclave.localhost", Level.GOOD),
        (Login(), "data.example.org", Level.BAD),
        (Login(embedded=False), "data.example.org", Level.BAD),
        (Login(embedded=False, issuer="https://i", client_id="c"), "data.example.org", Level.GOOD),
        (Login(embedded=False, issuer="https://i", client_id="c", require_mfa=False), "x.org", Level.WARNING),
    ],
)
def test_login(login: Login, host: str, level: Level) -> None:
    assert worst(doctor.check_login(Settings(login=login, web=Web(host=host)))) is level


def test_data_root(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert doctor.check_data_root(tmp_path)[0].level is Level.GOOD
    tmp_path.chmod(0o755)
    assert doctor.check_data_root(tmp_path)[0].level is Level.BAD
    assert doctor.check_data_root(tmp_path / "missing")[0].level is Level.BAD


def test_the_rest(tmp_path: Path) -> None:
    assert worst(doctor.check_packages({"casbin", "pycasbin"})) is Level.BAD
    assert worst(doctor.check_packages({"pycasbin"})) is Level.GOOD
    assert worst(doctor.check_disk(1024)) is Level.BAD
    assert worst(doctor.check_leftovers({"a"}, {"c1": "a"})) is Level.GOOD
    assert worst(doctor.check_leftovers({"a"}, {"c1": "b"})) is Level.WARNING
    assert worst(doctor.check_clock(None, 1970)) is Level.BAD
    assert worst(doctor.check_clock(0.0, 2027)) is Level.GOOD
    assert worst(doctor.check_encryption(tmp_path, lambda _path: {"disk", "crypt"})) is Level.GOOD
    assert worst(doctor.check_encryption(tmp_path, lambda _path: {"disk"})) is Level.WARNING
    assert worst(doctor.check_image(Settings(), {})) is Level.BAD
    here = {Settings().session.image: "sha256:1"}
    assert worst(doctor.check_image(Settings(), here)) is Level.GOOD
    tiers = Settings().tiers
    pictures = Settings(tiers={**tiers, 4: tiers[4].model_copy(update={"pixels_only": True})})
    assert worst(doctor.check_image(pictures, here)) is Level.BAD
    assert worst(doctor.check_image(pictures, here | {Settings().session.pixels_image: "sha256:2"})) is Level.GOOD


def test_mail() -> None:
    when = datetime(2026, 6, 1, tzinfo=UTC)

    def stuck(stage: Stage) -> Notice:
        return Notice(key="k", person_id="sam", stage=stage.value, made_at=when, next_at=when, problem="It said 554.")

    some = Settings(mail=Mail(host="mail.example", sender="enclave@example.org"))
    assert worst(doctor.check_mail(Settings(), None)) is Level.WARNING
    assert worst(doctor.check_mail(some, [])) is Level.GOOD
    assert worst(doctor.check_mail(some, [stuck(Stage.Unknown)])) is Level.WARNING
    refused = doctor.check_mail(some, [stuck(Stage.Waiting), stuck(Stage.Unknown)])
    assert [each.level for each in refused] == [Level.BAD, Level.WARNING]
    assert "1 notices wait. The last try of the oldest: It said 554." in refused[0].how
    assert all(each.remedy for each in refused)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"host": "mail.example"}, "mail.sender"),
        ({"host": "mail.example", "sender": "a@b.c", "security": "none"}, "on this machine"),
        ({"host": "localhost", "sender": "a@b.c", "username": "x"}, "go together"),
        ({"host": "localhost", "sender": "a@b.c", "security": "none", "username": "x", "password_file": "/x"}, "clear"),
    ],
)
def test_mail_in_clear_text_is_refused_where_it_could_be_read(values: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Mail.model_validate(values)
    assert Mail(host="localhost", sender="a@b.c", security="none").port == 587


def test_what_is_not_good_says_what_to_do() -> None:
    findings = [
        *doctor.check_docker(Settings(), None),
        *doctor.check_disk(0),
        *doctor.check_packages({"casbin"}),
        *doctor.check_tls(Settings(web=Web(bind="0.0.0.0"))),
    ]
    assert all(finding.remedy for finding in findings)


def test_every_check_is_documented() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "doctor.md").read_text()
    source = Path(doctor.__file__).read_text()
    checks = [line.split("(")[0].removeprefix("def check_") for line in source.splitlines() if "def check_" in line]
    assert len(checks) > 10
    missing = [check for check in checks if f"`{check.replace('_', ' ')}`" not in page]
    assert not missing, f"docs/reference/doctor.md has no line for {missing}"
