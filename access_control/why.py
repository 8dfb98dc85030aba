"""Why, and why not, in sentences: which row allows it or, for each that does not, what fails and who can change it."""

from __future__ import annotations

from datetime import date

from access_control import enforcer
from access_control.conditions import CONDITIONS, Request
from access_control.decisions import Decision
from access_control.rows import Row
from access_control.snapshot import Snapshot
from access_control.validation import MOUNT


def explain(snapshot: Snapshot, person: str, project: str, data: str, today: date) -> list[str]:
    """Sentences about `data`, a dataset (`hiv`: each of its renditions) or a rendition (`hiv/pseudonymised`)."""
    facts = snapshot.facts
    renditions = [data] if data in facts.renditions else list(facts.by_dataset.get(data, ()))
    if not renditions:
        return [f"There is no dataset or rendition {data!r} in the catalogue."]
    sentences = []
    for rendition in renditions:
        question = snapshot.question(person, project, rendition, MOUNT, today)
        sentences += [_sentence(question.reason)] if isinstance(question, Decision) else _about(snapshot, question)
    return sentences


def _about(snapshot: Snapshot, question: Request) -> list[str]:
    user, work, data = question.user, question.project, question.data
    rows = sorted(row for row in snapshot.candidates(question) if "mount" in row.act.split("|") or row.act == "any")
    allowed, _, trouble = enforcer.ask(snapshot.candidates(question), question)
    who = f"{user.id} in project {work.id}"
    if trouble:
        return [f"{who} does not see {data.id}: {trouble}."]
    sentences = [f"{who} {'may see' if allowed else 'does not see'} {data.id} on {question.today}."]
    if allowed and data.newest(work.id) is None:
        sentences.append(
            f"But it has no published version yet, so no session shows it. The stewards of {data.owner} publish it."
        )
    if not any(row.eft == "allow" for row in rows):
        sentences.append(
            f"No row of the policy gives {data.id} to project {work.id}. Ask for access in the catalogue: "
            f"the stewards of {data.owner} decide."
        )
    for row in rows:
        at = enforcer.failing(row, question)
        if at is None:
            sentences.append(_applies(row, question, allowed=allowed))
        elif row.eft == "allow":
            condition = CONDITIONS[at]
            sentences.append(
                f"{row.id} does not apply: {condition.failing(question, row)}. "
                f"Who can change that: {condition.who(question, row)}."
            )
    return sentences


def _applies(row: Row, question: Request, *, allowed: bool) -> str:
    if row.eft == "deny":
        return (
            f"{row.id} denies it from {row.start} to {row.until}. The stewards of {question.data.owner}, with a second "
            "person, can lift that."
        )
    if allowed:
        return f"{row.id} allows it until {row.until}."
    return f"{row.id} would allow it until {row.until}, but a deny goes over every allow."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
