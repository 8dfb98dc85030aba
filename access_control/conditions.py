"""The conditions of model.conf, each with its sentence: what it means, what to say when it fails, who can change it.

At start the parsed matcher must equal this list, condition by condition, so that a changed, dropped or commented-out
condition stops the enclave instead of opening it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import casbin

from access_control import facts
from access_control.errors import Refused
from access_control.facts import DataFacts, PersonFacts, ProjectFacts
from access_control.roles import RolesOn
from access_control.rows import Row
from access_control.terms import uncovered

MODEL = Path(__file__).with_name("model.conf")
ADMIN = "an admin"
TWO_ADMINS = "two admins, one who proposes and one who approves"


class Request(NamedTuple):
    """One question to the model."""

    user: PersonFacts
    project: ProjectFacts
    data: DataFacts
    act: str
    domain: str
    today: str
    roles: RolesOn


@dataclass(frozen=True)
class Condition:
    """One conjunct of the matcher.

    `expression` is its text in model.conf, `meaning` what it asks for; `failing` is the sentence of why a row does not
    apply, `who` who can change that. A safeguard holds for allow rows only: it never weakens a deny.
    """

    expression: str
    meaning: str
    failing: Callable[[Request, Row], str]
    who: Callable[[Request, Row], str]
    safeguard: bool = False


def _spoken(listed: str) -> str:
    return " or ".join(part.partition(":")[2] or part for part in listed.split("|"))


def _parties(question: Request, row: Row) -> str:
    if row.agreement != "none":
        return f"the parties of {row.agreement}, by renewing or replacing it"
    return _owner(question, row) if question.data.owner else TWO_ADMINS


def _owner(question: Request, _row: Row) -> str:
    return f"the stewards of {question.data.owner}" if question.data.owner else ADMIN


def _untrained(question: Request, courses: str) -> str:
    for course in courses.split("|"):
        if not facts.trained(question.user, course, question.today):
            held = question.user.trainings.get(course, ())
            ended = max((until for _, until in held if until < question.today), default="")
            return f"{course}, which " + (f"{question.user.id} passed but it ran out on {ended}" if ended
                                          else f"{question.user.id} has not passed")  # fmt: skip
    return courses


def _beyond(question: Request, listed: Iterable[str]) -> str:
    return ", ".join(uncovered(question.project.purposes, listed)) or "none"


def _not_active(question: Request, _row: Row) -> str:
    project = question.project
    if project.state != "active":
        return f"project {project.id} is {project.state}, not active"
    if question.today < project.start:
        return f"project {project.id} starts on {project.start}"
    return f"project {project.id} ended on {project.until}"


def _no_role(question: Request, row: Row) -> str:
    where = question.domain if question.domain != "*" else "the enclave"
    return f"{question.user.id} has no role {_spoken(row.role)} in {where} on {question.today}"


def _who_gives_roles(question: Request, _row: Row) -> str:
    return "the project's lead or an admin" if question.domain.startswith("project:") else TWO_ADMINS


CONDITIONS: tuple[Condition, ...] = (
    Condition(
        "names(p.project, r.project.names)",
        "The row names the project, or any project.",
        lambda q, p: f"it is for {_spoken(p.project)}, not for {q.project.id}",
        _parties,
    ),
    Condition(
        "names(p.data, r.data.names)",
        "The row names the rendition, its dataset, or any data.",
        lambda q, p: f"it is for {_spoken(p.data)}, not for {q.data.id}",
        _parties,
    ),
    Condition(
        "lists(p.act, r.act)",
        "The row lists the act, such as mount or review.",
        lambda q, p: f"it is about {_spoken(p.act)}, not {q.act}",
        _parties,
    ),
    Condition(
        "p.start <= r.today",
        "The row's first day has come.",
        lambda _q, p: f"it starts on {p.start}",
        _parties,
    ),
    Condition(
        "r.today <= p.until",
        "The row's last day has not passed.",
        lambda _q, p: f"it ended on {p.until}",
        _parties,
    ),
    Condition(
        "g(r.user.id, p.role, r.domain)",
        "The person holds the row's role today, in this project, for this owner, or in the enclave.",
        _no_role,
        _who_gives_roles,
    ),
    Condition(
        "lists(p.region, r.user.region)",
        "The person sits in a region that the row lists.",
        lambda q, p: f"{q.user.id} is in region {q.user.region}, and it is for {_spoken(p.region)}",
        _parties,
    ),
    Condition(
        "overlaps(p.purpose, r.project.uses)",
        "The project has a purpose that the row lists, or one that is narrower.",
        lambda q, p: (
            f"project {q.project.id} has the purposes {', '.join(sorted(q.project.purposes)) or 'none'}, "
            f"and it is for {p.purpose.replace('|', ' or ')}"
        ),
        _parties,
    ),
    Condition(
        "!r.user.suspended",
        "The person is not suspended.",
        lambda q, _p: f"{q.user.id} is suspended",
        lambda _q, _p: ADMIN,
        safeguard=True,
    ),
    Condition(
        "active(r.project, r.today)",
        "The project is active and within its dates.",
        _not_active,
        lambda _q, _p: ADMIN,
        safeguard=True,
    ),
    Condition(
        "clearance(r.user, r.today) >= r.data.tier",
        "The person's clearance of today reaches the rendition's tier.",
        lambda q, _p: (
            f"the clearance of {q.user.id}, {facts.clearance(q.user, q.today)}, is below the data's tier {q.data.tier}"
        ),
        lambda _q, _p: TWO_ADMINS,
        safeguard=True,
    ),
    Condition(
        "r.project.tier >= r.data.tier",
        "The project's tier reaches the rendition's tier.",
        lambda q, _p: f"the tier of project {q.project.id}, {q.project.tier}, is below the data's tier {q.data.tier}",
        lambda _q, _p: ADMIN,
        safeguard=True,
    ),
    Condition(
        "trained(r.user, r.data.trainings, r.today)",
        "The person has passed every training that the dataset asks for, and none has run out.",
        lambda q, _p: f"dataset {q.data.dataset} asks for the training {_untrained(q, q.data.trainings)}",
        lambda q, _p: f"{q.user.id}, by passing the training, and an admin, by recording it",
        safeguard=True,
    ),
    Condition(
        "trained(r.user, p.training, r.today)",
        "The person has passed every training that the row asks for, and none has run out.",
        lambda q, p: f"it asks for the training {_untrained(q, p.training)}",
        lambda q, _p: f"{q.user.id}, by passing the training, and an admin, by recording it",
        safeguard=True,
    ),
    Condition(
        "released(r.data, r.today)",
        "The dataset's embargo is over.",
        lambda q, _p: f"dataset {q.data.dataset} is under embargo until {q.data.embargo}",
        _owner,
        safeguard=True,
    ),
    Condition(
        "retained(r.data, r.today)",
        "The dataset may still be kept.",
        lambda q, _p: f"dataset {q.data.dataset} was to be kept until {q.data.retention} only",
        _owner,
        safeguard=True,
    ),
    Condition(
        "covers(p.purpose, r.project.uses)",
        "Every purpose of the project is one that the row lists, or narrower: a session serves all of them.",
        lambda q, p: (
            f"project {q.project.id} has the purpose {_beyond(q, p.purpose.split('|'))} besides, "
            f"and it is for {p.purpose.replace('|', ' or ')} only"
        ),
        _parties,
        safeguard=True,
    ),
    Condition(
        "permitted(r.project.uses, r.data.permitted)",
        "Every purpose of the project is a permitted use of the dataset, or narrower (where it lists any).",
        lambda q, _p: (
            f"dataset {q.data.dataset} is permitted for {', '.join(sorted(q.data.permitted))} only, "
            f"and project {q.project.id} has the purpose {_beyond(q, q.data.permitted)}"
        ),
        _owner,
        safeguard=True,
    ),
    Condition(
        "impartial(r.user, r.act, r.today)",
        "Who reviews outputs is not an admin: who gives access does not also say what leaves.",
        lambda q, _p: f"{q.user.id} is an admin, and an admin of access is no reviewer of outputs",
        lambda q, _p: f"another steward of {q.data.owner}",
        safeguard=True,
    ),
    Condition(
        "independent(r.user, r.data)",
        "Nobody decides on their own work or on that of a project they have ever been a member of.",
        lambda q, _p: (
            f"{q.user.id} would decide on their own case"
            if q.data.author == q.user.id
            else f"{q.user.id} is or was a member of project {q.data.project}"
        ),
        lambda q, _p: f"another steward of {q.data.owner}" if q.data.owner else "another admin",
        safeguard=True,
    ),
)

_DEFINITIONS = {
    "r": "r_user, r_project, r_data, r_act, r_domain, r_today",
    "p": ", ".join(f"p_{name}" for name in Row._fields),
    "g": "_, _, _",
    "e": "some(where (p_eft == allow)) && !some(where (p_eft == deny))",
}
_ALLOWED_NODES = (
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Compare, ast.LtE, ast.GtE, ast.Eq, ast.Call, ast.Attribute,
    ast.Name, ast.Load, ast.Constant,
)  # fmt: skip


def parse(expression: str) -> ast.expr:
    """Parses Casbin's syntax (`&&`, `||`, `!`, `p.id`); raises Refused for anything but plain conditions."""
    text = expression.replace("&&", " and ").replace("||", " or ")
    text = re.sub(r"!(?!=)", " not ", text)
    text = re.sub(r"\b([pr])\.", r"\1_", text)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:  # a NUL or half a character is no SyntaxError
        raise Refused(f"model.conf: the condition {expression!r} cannot be read: {error}") from error
    for node in ast.walk(tree):
        strange = not isinstance(node, _ALLOWED_NODES)
        if strange or (isinstance(node, ast.Call) and not isinstance(node.func, ast.Name)):
            raise Refused(f"model.conf: {ast.unparse(node)!r} has no place in a condition")
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            raise Refused(f"model.conf: {ast.unparse(node)!r} reaches behind a fact")
    return tree


def compile_condition(tree: ast.expr) -> CodeType:
    """The byte code of a parsed condition."""
    return compile(ast.fix_missing_locations(ast.Expression(tree)), "model.conf", "eval")


def _conjuncts(tree: ast.expr) -> list[ast.expr]:
    if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And):
        return [part for value in tree.values for part in _conjuncts(value)]
    return [tree]


def _split(matcher: str) -> tuple[list[str], list[str]]:
    """The conditions of every row and those of allow rows, normalised; raises Refused for another shape."""
    *always, last = _conjuncts(parse(matcher))
    if (
        not isinstance(last, ast.BoolOp)
        or len(last.values) != 2
        or ast.unparse(last.values[0]) != ast.unparse(parse("p.eft == 'deny'"))
    ):
        raise Refused('model.conf: the matcher must end in (p.eft == "deny" || (safeguards)); restore it')
    return [ast.unparse(one) for one in always], [ast.unparse(one) for one in _conjuncts(last.values[1])]


def check_model(model: Any) -> None:
    """Raises Refused, naming the first difference, unless the parsed model is exactly the one that is listed here."""
    for section, expected in _DEFINITIONS.items():
        if set(model[section]) != {section}:
            raise Refused(f"model.conf: section {section!r} must have one definition, not {sorted(model[section])}")
        found = model[section][section]
        text = ", ".join(found.tokens) if section in ("r", "p") else found.value
        if text != expected:
            raise Refused(f"model.conf: the definition of {section!r} is {text!r} and must be {expected!r}; restore it")
    if set(model["m"]) != {"m"}:
        raise Refused("model.conf: there must be one matcher, named m")
    for found_list, safeguard in zip(_split(model["m"]["m"].value), (False, True), strict=True):
        expected_list = [ast.unparse(parse(one.expression)) for one in CONDITIONS if one.safeguard is safeguard]
        for at, expected in enumerate(expected_list):
            if at >= len(found_list) or found_list[at] != expected:
                there = f"has {found_list[at]!r}" if at < len(found_list) else "has nothing"
                raise Refused(f"model.conf {there} where the condition {expected!r} must stand; restore it")
        if len(found_list) > len(expected_list):
            raise Refused(f"model.conf has the condition {found_list[len(expected_list)]!r}, which conditions.py lacks")


def load_model(path: Path = MODEL) -> Any:
    """Casbin's model, checked; raises Refused when it is not the one that is expected."""
    try:
        model = casbin.Enforcer.new_model(str(path))
        check_model(model)
    except Refused:
        raise
    except Exception as error:
        raise Refused(f"{path.name} cannot be read: {error}. Restore it from the release.") from error
    return model
