"""The fields of an agreement in a form, and to whom the form is offered; the services decide on what is sent."""

from __future__ import annotations

from typing import Any

from access_control.models import Agreement
from hub.portal.context import Form, Visitor

WRITABLE = ("draft", "signed")


def may_amend(visitor: Visitor, row: Agreement) -> bool:
    """Whether the form to amend is offered on an agreement's page; the service decides on what is sent."""
    mine = set(visitor.domains("steward", "lead-steward")) & set(row.parties)
    leads = ("lead", f"project:{row.project_id}") in visitor.roles
    return row.state in WRITABLE and (visitor.has("admin") or bool(mine) or leads)


def terms_of(form: Form) -> dict[str, Any]:
    """What the form says of an agreement: the fields that it has, as the service takes them."""
    given = {name for name, _ in form.items()}
    if "whole" in given:  # a list of which nothing was chosen is not sent, and means none rather than unchanged
        given |= {"parties", "renditions", "purposes"}
    readers: dict[str, Any] = {
        "title": lambda: form.text("title"),
        "parties": lambda: form.all("parties"),
        "renditions": lambda: form.all("renditions"),
        "purposes": lambda: form.all("purposes"),
        "regions": lambda: form.words("regions"),
        "required_trainings": lambda: form.words("required_trainings"),
        "reviewers": lambda: form.whole("reviewers"),
        "conditions": lambda: form.text("conditions", ""),
        "start": lambda: form.day("start"),
        "until": lambda: form.day("until"),
    }
    return {name: read() for name, read in readers.items() if name in given}
