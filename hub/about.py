"""The list that every session carries at /data/ABOUT.md: what is mounted and why, what is not and who can change it."""

from __future__ import annotations

from collections.abc import Sequence

from access_control.decisions import Mount, Refusal


def about_text(
    person: str, project: str, mounts: Sequence[Mount], refusals: Sequence[Refusal], problems: Sequence[str]
) -> str:
    """Markdown for the researcher."""
    lines = [f"# Data of this session ({person} in {project})", ""]
    if mounts:
        lines.append("Mounted, read-only:")
        lines.append("")
        for mount in mounts:
            under = f", under {mount.agreement_id}" if mount.agreement_id else ""
            lines.append(f"- `{mount.target}` - {mount.rendition}, version {mount.version}, tier {mount.tier}{under}.")
            lines.append(f"  {mount.reason}")
            lines.append(f"  Files: {', '.join(f'`{name}`' for name in sorted(mount.files))}")
    else:
        lines.append(
            "**No dataset is mounted: none is granted to you in this project today.** You can work all the same."
        )
    if problems:
        lines += ["", "Granted, but not mounted in this session:", ""]
        lines += [f"- {problem}" for problem in problems]
    if refusals:
        lines += ["", "Not granted:", ""]
        for refusal in refusals:
            lines.append(f"- {refusal.title or refusal.rendition} (`{refusal.rendition}`): {refusal.sentence}")
            if refusal.who_can_change:
                lines.append(f"  {refusal.who_can_change}")
    lines += [
        "",
        "Your own files are in `/workspace`. Nothing leaves the enclave but through the release queue of the portal.",
        "",
    ]
    return "\n".join(lines)
