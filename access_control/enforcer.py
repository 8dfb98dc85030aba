"""Casbin, fed only the rows that matter, with its matcher compiled once; every doubt is a no."""

from __future__ import annotations

import ast
import importlib.metadata
import logging
import threading
from collections.abc import Sequence
from types import CodeType
from typing import Any

import casbin

from access_control.conditions import CONDITIONS, Request, compile_condition, load_model, parse
from access_control.errors import Refused
from access_control.facts import FUNCTIONS
from access_control.rows import Row

_log = logging.getLogger(__name__)

# Passed when no row was picked: Casbin runs the matcher with empty columns over an empty policy.
NEVER = Row("NONE", "deny", "", "", "", "", "", "", "9999-12-31", "0001-01-01", "", "")


class _Compiled:
    """What Casbin evaluates for each row: the compiled matcher instead of an interpreter's walk over its tree."""

    __slots__ = ("_code", "_functions")

    def __init__(self, code: CodeType, functions: dict[str, Any]) -> None:
        self._code = code
        self._functions = functions

    def eval(self, parameters: dict[str, Any]) -> Any:
        # The code is our own model.conf, compared condition by condition with conditions.py before it was compiled;
        # a row's text reaches it as values only.
        return eval(self._code, self._functions, parameters)  # noqa: S307


class _Enforcer(casbin.Enforcer):  # type: ignore[misc]  # casbin has no types
    """One thread's enforcer; rows and roles are set before each question, and nothing is awaited in between."""

    def __init__(self) -> None:
        super().__init__(load_model())
        self._text = self.model["m"]["m"].value
        code = compile_condition(parse(self._text))
        self.fm.fm = {**FUNCTIONS, "__builtins__": {}}
        self._compiled = _Compiled(code, self.fm.fm)
        self._policy = self.model["p"]["p"]
        self._grouping = self.model["g"]["g"]

    def _get_expression(self, expr: str, functions: dict[str, Any] | None = None) -> _Compiled:
        if expr is not self._text or functions is not self.fm.fm:
            raise Refused("the matcher was exchanged after it had been checked")
        return self._compiled

    def ask(self, rows: Sequence[Row], question: Request) -> tuple[bool, Row | None]:
        """Casbin's answer over those rows, and the row that decided it."""
        self._policy.policy = rows or (NEVER,)
        self._grouping.rm = question.roles
        try:
            allowed, row = self.enforce_ex(
                question.user, question.project, question.data, question.act, question.domain, question.today
            )
        finally:
            self._policy.policy = (NEVER,)
        return allowed is True, row or None


_threads = threading.local()
_starting = threading.Lock()


def _enforcer() -> _Enforcer:
    try:
        return _threads.enforcer  # type: ignore[no-any-return]  # a thread-local attribute has no type
    except AttributeError:
        with _starting:  # parsing in two threads at once has raised SystemError on CPython 3.11
            check_installation()
            _threads.enforcer = _Enforcer()
            return _threads.enforcer  # type: ignore[no-any-return]  # as above


def check_model_file() -> None:
    """Raises Refused unless model.conf is, condition by condition, the model that conditions.py lists."""
    load_model()


def check_installation() -> None:
    """Raises Refused when the distribution `casbin` stands beside `pycasbin`: both own the same folder."""
    try:
        importlib.metadata.version("casbin")
    except importlib.metadata.PackageNotFoundError:
        pass
    else:
        raise Refused(
            "The package 'casbin' is installed beside 'pycasbin' and both own the same folder. Uninstall both, then "
            "install pycasbin alone: pip uninstall casbin pycasbin; pip install 'pycasbin>=2.8,<3'"
        )
    version = importlib.metadata.version("pycasbin")
    if tuple(int(part) for part in version.split(".")[:2]) < (2, 8) or not version.startswith("2."):
        raise Refused(f"pycasbin {version} is installed; the policy engine is checked with 2.8 or a later 2.x")


def ask(rows: Sequence[Row], question: Request) -> tuple[bool, Row | None, str]:
    """(allowed, deciding row, what went wrong or ""); an exception of any kind is a no."""
    try:
        allowed, row = _enforcer().ask(rows, question)
    except Exception as error:
        _log.exception("a decision failed and was answered with no")
        return False, None, f"the decision could not be made ({error}), so the answer is no"
    return allowed, row, ""


_CODES = {one.expression: compile_condition(ast.Expression(parse(one.expression)).body) for one in CONDITIONS}


def failing(row: Row, question: Request) -> int | None:
    """The index in CONDITIONS of the first condition that the row does not meet, or None; raises what they raise.

    What is evaluated are the conditions of the model themselves, one by one, so that a reason cannot differ from a
    decision. A deny row has to meet no safeguard.
    """
    known: dict[str, Any] = {f"p_{name}": value for name, value in zip(Row._fields, row, strict=True)}
    for name in ("user", "project", "data", "act", "domain", "today"):
        known[f"r_{name}"] = getattr(question, name)
    functions: dict[str, Any] = {**FUNCTIONS, "__builtins__": {}, "g": question.roles.has_link}
    for at, condition in enumerate(CONDITIONS):
        if condition.safeguard and row.eft == "deny":
            return None
        if eval(_CODES[condition.expression], functions, known) is not True:  # noqa: S307 - our own conditions
            return at
    return None
