"""The page docs/reference/check-rules.md, written from the catalogue: `python -m egress_review.rule_page > PAGE`."""

from __future__ import annotations

import sys

from egress_review import imports, queue_rules  # noqa: F401 - importing a module of rules declares them
from egress_review.findings import RULE_VERSION
from egress_review.rules import families, outcome  # noqa: F401
from egress_review.rules.catalogue import RULES

_HEAD = f"""# Check rules

Every rule that looks at a file before it may leave, version {RULE_VERSION}. This page is written from the code;
a test fails when it is out of date. A finding *blocks* (the file cannot be approved as it is), *warns* (a reviewer has to decide) or
*informs*. Thresholds are settings of a [profile](profiles.md).
"""


def page() -> str:
    """The whole page as Markdown."""
    lines = [_HEAD, f"{len(RULES)} rules.\n"]
    family = ""
    for rule in sorted(RULES.values(), key=lambda rule: rule.id):
        if rule.id.split(".")[0] != family:
            family = rule.id.split(".")[0]
            lines.append(f"## {family}\n")
        lines.append(f"### {rule.id}\n")
        lines.append(f"**{rule.title}** — {rule.severity}.\n")
        lines.append(f"- Why: {rule.rationale}\n- Source: {rule.source}\n- What to do: {rule.remedy}\n")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
