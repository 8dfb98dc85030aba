"""The settings: one `enclave.toml`, checked when it is read; docs/reference/settings.md has a line for each."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from access_control.errors import Invalid

MIB = 1024 * 1024
HIGHEST_WARNED = 1  # the highest tier whose sessions may be warned before they are cut


class Section(BaseModel):
    """A table of `enclave.toml`; an unknown name in it is an error, not a comment."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Web(Section):
    """Where the enclave is reached."""

    host: str = "enclave.localhost"
    port: int = Field(8000, ge=1, le=65535)
    bind: str = "127.0.0.1"
    scheme: Literal["http", "https"] = "http"
    certificate: Path | None = None
    key: Path | None = None
    public_register: bool = False

    @property
    def origin(self) -> str:
        """Such as `http://enclave.localhost:8000`; the default port of the scheme is left out."""
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{self.host}" + ("" if self.port == usual else f":{self.port}")

    def session_host(self, session_id: str) -> str:
        """The host name of one session's own origin."""
        return f"s-{session_id}.{self.host}"

    def session_origin(self, session_id: str) -> str:
        """The origin of one session, that no other session shares."""
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{self.session_host(session_id)}" + ("" if self.port == usual else f":{self.port}")


class Login(Section):
    """The OpenID Connect provider; with `embedded` the demo's own Canaille is started and configured."""

    embedded: bool = True
    issuer: str = ""
    client_id: str = ""
    client_secret_file: Path | None = None
    username_claim: str = "preferred_username"
    require_mfa: bool = True
    accepted_amr: list[str] = ["mfa", "otp", "hwk", "swk", "fido"]
    accepted_acr: list[str] = []


class Session(Section):
    """What a session's container may use."""

    image: str = "enclave/notebook:latest"
    pixels_image: str = "enclave/notebook-pixels:latest"
    memory_mib: int = Field(2048, ge=256)
    cpus: float = Field(1.0, gt=0)
    processes: int = Field(256, ge=32)
    tmpfs_mib: int = Field(256, ge=16)
    uid: int = Field(64123, ge=1000)
    start_timeout_seconds: int = Field(60, ge=5)
    idle_minutes: int = Field(60, ge=1)
    unattended_hours: int = Field(24, ge=0, le=168)


class Tier(Section):
    """What a session of one tier may do through the browser. Sizes in bytes, rates in bytes a minute."""

    bytes_per_minute: int = Field(64 * MIB, gt=0)
    burst_bytes: int = Field(256 * MIB, gt=0)
    bytes_per_day: int = Field(1024 * MIB, gt=0)
    warn_at: float = Field(0.7, gt=0, lt=1)
    uploads: Literal["off", "text", "import"] = "text"
    terminals: bool = False
    printed_script: bool = True
    paste_bytes: int = Field(1 * MIB, ge=0)
    pixels_only: bool = False
    warning_seconds: int = Field(0, ge=0, le=30)
    reviewers: int = Field(1, ge=1, le=3)


def _tiers() -> dict[int, Tier]:
    return {
        0: Tier(terminals=True, warning_seconds=5),
        1: Tier(terminals=True, warning_seconds=5),
        2: Tier(burst_bytes=128 * MIB, bytes_per_day=512 * MIB, printed_script=False),
        3: Tier(bytes_per_minute=32 * MIB, burst_bytes=96 * MIB, bytes_per_day=384 * MIB, uploads="import",
                printed_script=False, paste_bytes=64 * 1024, reviewers=2),
        4: Tier(bytes_per_minute=16 * MIB, burst_bytes=64 * MIB, bytes_per_day=256 * MIB, uploads="import",
                printed_script=False, paste_bytes=16 * 1024, reviewers=2),
    }  # fmt: skip


class Profile(Section):
    """Thresholds of disclosure control that a data owner picks; each with its source in docs/reference/profiles.md."""

    threshold: int = Field(10, ge=2)
    zeros_disclosive: bool = True
    round_to: int = Field(5, ge=1)
    residual_dof: int = Field(10, ge=0)
    dominance_n: int = Field(2, ge=1)
    dominance_percent: float = Field(90.0, gt=0, le=100)
    p_percent: float = Field(10.0, gt=0)
    max_rows: int = Field(1000, ge=10)


class Egress(Section):
    """The review queue."""

    max_files: int = Field(100, ge=1)
    max_file_bytes: int = Field(64 * MIB, ge=1)
    max_request_bytes: int = Field(256 * MIB, ge=1)
    check_memory_mib: int = Field(1024, ge=128)
    check_seconds: int = Field(60, ge=1)
    download_days: int = Field(14, ge=1)
    link_minutes: int = Field(10, ge=1)
    remind_hours: int = Field(48, ge=1)
    escalate_hours: int = Field(120, ge=1)
    trusted_path: bool = False
    trusted_sample: float = Field(0.1, ge=0, le=1)
    preview_bytes_per_day: int = Field(200 * MIB, ge=1)
    profiles: dict[str, Profile] = {"default": Profile(), "ons": Profile(dominance_percent=85.0)}


class Mail(Section):
    """The mail server that reminders are handed to; without a host they are shown in the portal only."""

    host: str = ""
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = ""
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _whole(self) -> Mail:
        if self.host and "@" not in self.sender:
            raise ValueError("mail.sender must be an address, such as enclave@example.org")
        if self.security == "none" and self.host not in {"", "localhost", "127.0.0.1", "::1"}:
            raise ValueError("mail.security may be none only for a mail server on this machine: use starttls or tls")
        if bool(self.username) != (self.password_file is not None):
            raise ValueError("mail.username and mail.password_file go together")
        if self.username and self.security == "none":
            raise ValueError("mail.password_file is never sent in clear text: set mail.security to starttls or tls")
        return self


class Settings(Section):
    """All settings of one enclave. `data_root` holds everything that must be backed up."""

    data_root: Path = Path("/var/lib/enclave")
    database_url: str = ""
    web: Web = Web()
    login: Login = Login()
    session: Session = Session()
    tiers: dict[int, Tier] = Field(default_factory=_tiers)
    egress: Egress = Egress()
    mail: Mail = Mail()

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if not self.data_root.is_absolute():
            raise ValueError(f"data_root must be an absolute path, not {self.data_root}")
        if set(self.tiers) != {0, 1, 2, 3, 4}:
            raise ValueError("tiers must be exactly 0, 1, 2, 3 and 4")
        for number, tier in self.tiers.items():
            if tier.warning_seconds and number > HIGHEST_WARNED:
                raise ValueError(
                    f"tiers.{number}.warning_seconds must be 0: above tier {HIGHEST_WARNED} a session that lost "
                    "its grant is cut at once"
                )
        if "default" not in self.egress.profiles:
            raise ValueError("egress.profiles must have a profile named default")
        return self

    @property
    def database(self) -> str:
        """The SQLAlchemy URL: SQLite below the data root unless `database_url` names another."""
        return self.database_url or f"sqlite:///{self.data_root / 'enclave.sqlite'}"

    @property
    def datasets(self) -> Path:
        """Originals as ingested: <dataset>/v<number>/; never mounted."""
        return self.data_root / "datasets"

    @property
    def renditions(self) -> Path:
        """Materialised renditions, what sessions mount: <dataset>/<rendition>/<version>/."""
        return self.data_root / "renditions"

    @property
    def workspaces(self) -> Path:
        """Workspaces: <project>/<person>/, owned by the session's uid."""
        return self.data_root / "workspaces"

    @property
    def store(self) -> Path:
        """The content-addressed store of submitted files, with its staging folder."""
        return self.data_root / "store"

    @property
    def indexes(self) -> Path:
        """The keyed indexes of source rows; as sensitive as the data and never mounted."""
        return self.data_root / "indexes"

    @property
    def keys(self) -> Path:
        """Secrets made at the first start, mode 0600 in a folder of mode 0700."""
        return self.data_root / "keys"

    @property
    def audit(self) -> Path:
        """Signed checkpoints of the audit log."""
        return self.data_root / "audit"

    @property
    def run(self) -> Path:
        """Sockets of the running enclave: sessions/<id>/ and gateway.sock."""
        return self.data_root / "run"

    @property
    def logs(self) -> Path:
        """A log a program."""
        return self.data_root / "logs"


def find_settings_file() -> Path | None:
    """`$ENCLAVE_CONFIG`, else `./enclave.toml`, else `/etc/enclave/enclave.toml`, else none."""
    if named := os.environ.get("ENCLAVE_CONFIG"):
        return Path(named)
    for path in (Path("enclave.toml"), Path("/etc/enclave/enclave.toml")):
        if path.is_file():
            return path
    return None


def load_settings(path: Path | None = None) -> Settings:
    """Reads the settings; raises Invalid with the file, the setting's name and what is wrong with it."""
    path = path or find_settings_file()
    if path is None:
        return Settings()
    try:
        values = tomllib.loads(path.read_text())
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}. Point ENCLAVE_CONFIG at your enclave.toml.") from error
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{path} is not TOML: {error}") from error
    if "tiers" in values:
        base = {number: tier.model_dump() for number, tier in _tiers().items()}
        for number, changed in values["tiers"].items():
            if not str(number).isdigit() or int(number) not in base:
                raise Invalid(f"{path}: tiers.{number} is no tier; tiers are 0 to 4")
            base[int(number)].update(changed)
        values["tiers"] = base
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise Invalid(f"{path}: {place}: {first['msg']}") from error
