"""Writes docs/reference/settings.md from access_control/settings.py: `python docs/generate_settings.py [--check]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from access_control.settings import Settings

PAGE = Path(__file__).with_name("reference") / "settings.md"

# What each setting does, in the reader's words. A test fails for one that has no line here.
MEANING = {
    "data_root": "The folder with everything that must be backed up; absolute, mode 0700, on an encrypted disk.",
    "database_url": "SQLAlchemy URL; empty: SQLite below the data root. In production `postgresql+psycopg://…`.",
    "web.host": "The host name of hub and portal. Sessions are at `s-<id>.<host>`, so a wildcard name must lead here.",
    "web.port": "The public port.",
    "web.bind": "The address that the proxy listens on. `0.0.0.0` lets other machines in, which needs TLS.",
    "web.scheme": "`http` or `https`.",
    "web.certificate": "PEM file of the certificate, for the host and `*.` the host.",
    "web.key": "PEM file of its key.",
    "web.public_register": "Show the register of projects at `/services/portal/register` to anybody, without a login.",
    "login.embedded": "Start the demo's own provider. For demo and tests only.",
    "login.issuer": "The provider's issuer; its description is read from `<issuer>/.well-known/openid-configuration`.",
    "login.client_id": "The enclave's client id at the provider.",
    "login.client_secret_file": "A file of mode 0600 with the client's secret.",
    "login.username_claim": "The claim that holds a person's id in the enclave.",
    "login.require_mfa": "Refuse a login whose token doesn't say that a second factor was used.",
    "login.accepted_amr": "Values of the claim `amr` of which one shows a second factor (RFC 8176).",
    "login.accepted_acr": "Values of the claim `acr` that show a second factor at your provider.",
    "session.image": "The image of a session; it is never pulled.",
    "session.pixels_image": "The image of a session in a tier with `pixels_only`; `make pixels` builds it.",
    "session.memory_mib": "Memory of a session; swap is off.",
    "session.cpus": "Processors of a session, such as 1.5.",
    "session.processes": "Processes and threads of a session.",
    "session.tmpfs_mib": "Size of `/tmp` and of the home folder, each; they are memory.",
    "session.uid": "The user that sessions run as; give it to nobody else on the machine.",
    "session.start_timeout_seconds": "After this a session that doesn't answer is ended.",
    "session.idle_minutes": "A session that nobody uses is ended after this.",
    "session.unattended_hours": "How long after the person last did something a kernel that computes keeps its "
    "session from being idle; 0: it does not.",
    "tiers.N.bytes_per_minute": "How many bytes a minute a session may send to the browser, in the long run.",
    "tiers.N.burst_bytes": "How many bytes it may send at once (JupyterLab itself is some megabytes).",
    "tiers.N.bytes_per_day": "How many bytes a person may be sent in a day.",
    "tiers.N.warn_at": "The share of a budget at which the steward is told.",
    "tiers.N.uploads": "`off`, `text` (pasted or dropped text files) or `import` (only through the import queue).",
    "tiers.N.terminals": "Whether JupyterLab's terminals are there.",
    "tiers.N.printed_script": "Whether scripts in cell outputs run in the browser.",
    "tiers.N.paste_bytes": "The largest text that may be pasted.",
    "tiers.N.pixels_only": "Show a session as pictures only: neither files nor text cross, only what is on its screen. "
    "Needs `make pixels` first.",
    "tiers.N.warning_seconds": "How long a session that lost a grant is warned, and may save, before it is cut; 0 cuts "
    "at once, and must be 0 above tier 1.",
    "tiers.N.reviewers": "How many stewards must approve an output.",
    "egress.max_files": "Files in a request.",
    "egress.max_file_bytes": "Size of a file.",
    "egress.max_request_bytes": "Size of a request.",
    "egress.check_memory_mib": "Memory of the process that checks files.",
    "egress.check_seconds": "Processor time of the process that checks files.",
    "egress.download_days": "How long an approved file can be downloaded.",
    "egress.link_minutes": "How long a download link is good; it works once.",
    "egress.remind_hours": "After this whoever has to act on a request that waits is reminded of it.",
    "egress.escalate_hours": "After this the lead steward is told, and where there is none the admins.",
    "egress.trusted_path": "Release outputs whose every check passes without a human, except for a sample.",
    "egress.trusted_sample": "The share of those that a human looks at all the same.",
    "egress.preview_bytes_per_day": "How many bytes of previews of submitted files one person is shown in a day.",
    "mail.host": "The mail server that reminders are handed to. Empty: they are shown in the portal only.",
    "mail.port": "Its port: 587 with `starttls`, 465 with `tls`.",
    "mail.security": "`starttls`, `tls`, or `none`, which is allowed for a server on this machine alone.",
    "mail.sender": "The address that reminders come from.",
    "mail.username": "The login at the mail server; empty: none is asked for.",
    "mail.password_file": "A file of mode 0600 with its password.",
    "mail.ca_file": "PEM file of the authority that signed the mail server's certificate; none: the system's.",
    "egress.profiles.NAME.threshold": "The smallest count that may be published.",
    "egress.profiles.NAME.zeros_disclosive": "Whether a zero, or 100 %, tells something about people.",
    "egress.profiles.NAME.round_to": "Counts are rounded to this.",
    "egress.profiles.NAME.residual_dof": "The fewest residual degrees of freedom of a model.",
    "egress.profiles.NAME.dominance_n": "The n of the dominance rule.",
    "egress.profiles.NAME.dominance_percent": "The share, in percent, that the n largest may not pass.",
    "egress.profiles.NAME.p_percent": "The p of the p-percent rule.",
    "egress.profiles.NAME.max_rows": "More rows than this look like records.",
}


def settings_of(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    """Every setting by its full name; `N` stands for a tier and `NAME` for a profile."""
    found: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        kind: Any = field.annotation
        arguments = getattr(kind, "__args__", ())
        inner = next((one for one in arguments if isinstance(one, type) and issubclass(one, BaseModel)), None)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= settings_of(kind, f"{prefix}{name}.")
        elif inner is not None:
            found |= settings_of(inner, f"{prefix}{name}.{'N' if name == 'tiers' else 'NAME'}.")
        else:
            found[f"{prefix}{name}"] = field
    return found


def default_of(name: str, field: FieldInfo) -> str:
    """The default as TOML would write it; the tiers differ, and have a table of their own."""
    if name.startswith("tiers."):
        return "see below"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if not isinstance(value, str) else f'`"{value}"`'


def page() -> str:
    """The whole page."""
    lines = [
        "# Settings",
        "",
        "One file, `enclave.toml`: `$ENCLAVE_CONFIG`, else `./enclave.toml`, else `/etc/enclave/enclave.toml`.",
        "An unknown name in it is an error. This page is written by `docs/generate_settings.py`.",
        "",
        "| setting | default | what it does |",
        "| --- | --- | --- |",
    ]
    for name, field in settings_of(Settings).items():
        lines.append(f"| `{name}` | {default_of(name, field)} | {MEANING.get(name, '')} |")
    lines += ["", "## Defaults of the tiers", ""]
    tiers = Settings().tiers
    names = list(type(tiers[0]).model_fields)
    lines.append("| setting | " + " | ".join(f"tier {number}" for number in tiers) + " |")
    lines.append("| --- |" + " --- |" * len(tiers))
    for name in names:
        lines.append(f"| `{name}` | " + " | ".join(f"`{getattr(tier, name)}`" for tier in tiers.values()) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text() == page() else "docs/reference/settings.md is out of date")
    PAGE.write_text(page())
