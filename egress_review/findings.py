"""What a check finds: findings, the result of a file, and the verdict that follows from them. Plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from egress_review.errors import Invalid

Severity = Literal["blocks", "warns", "informs"]
Verdict = Literal["block", "warn", "pass", "unknown"]

SEVERITIES: tuple[Severity, ...] = ("blocks", "warns", "informs")
VERDICTS: tuple[Verdict, ...] = ("block", "warn", "pass", "unknown")
RULE_VERSION = "2026.3"  # grows with every change that can alter a verdict; signed with each review

MAX_TEXT = 600  # characters of one sentence of a finding; a worker's answer is cut to it
MAX_FINDINGS = 200  # of one file; a steward reads the first few


@dataclass(frozen=True)
class Finding:
    """One thing that one rule found in one place; the sentences are fit to be shown to a researcher."""

    rule: str
    severity: Severity
    where: str
    message: str
    remedy: str

    def as_dict(self) -> dict[str, str]:
        """The finding as `enclave check --json` prints it."""
        return asdict(self)


@dataclass(frozen=True)
class FileResult:
    """What the checks say of one file. `facts` are plain JSON values: size, kind, tables, what was compared."""

    path: str
    verdict: Verdict
    findings: list[Finding]
    kind: str
    facts: dict[str, Any] = field(default_factory=dict)
    rule_version: str = RULE_VERSION

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FileResult:
        """The inverse of `as_dict`; raises Invalid for values that no check writes."""
        try:
            return cls(
                path=str(values["path"]),
                verdict=_verdict(values["verdict"]),
                findings=[finding_from(entry) for entry in values["findings"]],
                kind=str(values["kind"]),
                facts=dict(values.get("facts", {})),
                rule_version=str(values.get("rule_version", RULE_VERSION)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Invalid(f"This is not the result of a check: {error}. Run the checks again.") from error


def finding_from(values: dict[str, Any]) -> Finding:
    """A finding from untrusted JSON values, cut to size; raises Invalid when a field is missing or no string."""
    texts = {}
    for name in ("rule", "severity", "where", "message", "remedy"):
        value = values.get(name)
        if not isinstance(value, str):
            raise Invalid(f"A finding without a text for {name}. Run the checks again.")
        texts[name] = value[:MAX_TEXT]
    for severity in SEVERITIES:
        if texts["severity"] == severity:
            return Finding(texts["rule"], severity, texts["where"], texts["message"], texts["remedy"])
    raise Invalid(f"{texts['severity']!r} is no severity. Run the checks again.")


def _verdict(text: str) -> Verdict:
    for verdict in VERDICTS:
        if verdict == text:
            return verdict
    raise Invalid(f"{text!r} is no verdict. Run the checks again.")


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """`block` when any finding blocks, else `warn` when any warns, else `pass`."""
    seen = {finding.severity for finding in findings}
    if "blocks" in seen:
        return "block"
    return "warn" if "warns" in seen else "pass"
