"""A policy is accepted whole or not at all: every error with its line, its row and what to write instead."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from access_control.facts import ANY
from access_control.roles import ANYONE, ROLES
from access_control.rows import NO_AGREEMENT, Row

COLUMNS = Row._fields
OPTIONAL = {"training": ANY, "agreement": NO_AGREEMENT}
ACTS = ("mount", "open", "review", "lead-review", "steward", "administer", "audit", "seed")
MOUNT = "mount"
DUTY_DATA = ("output", "access", "enclave", "workspace")

_SLUG = r"[a-z0-9][a-z0-9-]{0,62}"
_TERM = r"[A-Za-z0-9][A-Za-z0-9:._/-]{0,99}"


class _Column(dict[str, str]):
    """The values of one column that were found right so far, each kept once in memory; a new one is checked."""

    def __init__(self, label: str, one: str, rule: str, *, many: bool = True, wild: bool = True) -> None:
        super().__init__()
        self._label = label
        self._one = re.compile(one)
        self._rule = rule
        self._many = many
        self._wild = wild

    def __missing__(self, value: str) -> str:
        if error := self.error(value):
            raise ValueError(error)
        value = sys.intern(str(value))
        if len(self) < 100_000:
            self[value] = value
        return value

    def error(self, value: object) -> str | None:
        """What is wrong with the value, or None."""
        if not isinstance(value, str):
            return f"{self._label} {value!r} must be text"
        if value == "":
            hint = " (write 'any' where everything is meant)" if self._wild else ""
            return f"{self._label} is blank{hint}; it must be {self._rule}"
        parts = value.split("|") if self._many else [value]
        if self._wild and value == ANY:
            return None
        if ANY in parts and self._wild:
            return f"{self._label} {value!r} mixes 'any' with alternatives; write 'any' alone or name each"
        if any(self._one.fullmatch(part) is None for part in parts):
            return f"{self._label} {value!r} must be {self._rule}"
        return None


class _Day(_Column):
    def error(self, value: object) -> str | None:
        if isinstance(value, str) and self._one.fullmatch(value):
            try:
                date.fromisoformat(value)
            except ValueError:
                return f"{self._label} {value!r} is no day of the calendar"
            return None
        return super().error(value)


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in words)


_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ID = r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}"


def known_days() -> dict[str, str]:
    """A dictionary that holds every day of the calendar as ISO text, and raises ValueError for any other text."""
    return _Day("day", _DAY, "a day such as '2026-01-31'", many=False, wild=False)


def _columns() -> tuple[_Column, ...]:
    listed = "separated by '|'"
    return (
        _Column("id", _ID, "letters, digits, '.' and '-'", many=False, wild=False),
        _Column("effect", "allow|deny", "'allow' or 'deny'", many=False, wild=False),
        _Column(
            "role", _alternatives((*ROLES, ANYONE)), f"one of {', '.join(ROLES)} or {ANYONE}, {listed}", wild=False
        ),
        _Column("project", f"project:{_SLUG}", f"'any' or names such as 'project:p17', {listed}"),
        _Column(
            "data",
            rf"data:{_SLUG}(/{_SLUG})?|{_alternatives(DUTY_DATA)}",
            f"'any' or names such as 'data:hiv' or 'data:hiv/pseudonymised', {listed}",
        ),
        _Column("act", _alternatives(ACTS), f"'any' or one of {', '.join(ACTS)}, {listed}"),
        _Column("purpose", _TERM, f"'any' or purpose terms without blanks, {listed}"),
        _Column("region", r"[A-Za-z][A-Za-z0-9-]{0,30}", f"'any' or regions such as 'EU', {listed}"),
        _Day("start", _DAY, "a day such as '2026-01-31'", many=False, wild=False),
        _Day("until", _DAY, "a day such as '2026-12-31'", many=False, wild=False),
        _Column("training", _TERM, f"'any' or courses without blanks, {listed}"),
        _Column("agreement", _ID, f"'{NO_AGREEMENT}' or an agreement's id", many=False, wild=False),
    )


def _together(row: Row, *, standing: bool) -> str | None:
    """What is wrong with the columns of one row taken together."""
    if row.start > row.until:
        return f"it ends on {row.until}, before it starts on {row.start}; exchange or correct the two days"
    if row.eft == "deny":
        return None if row.training == ANY else "a deny row asks for no training; write 'any' as its training"
    if standing:
        return None
    if row.act != MOUNT:
        return (
            f"an allow row may only have the act 'mount', not {row.act!r}; duties come with roles, which admins grant"
        )
    if row.role not in ("researcher", "lead", "researcher|lead", "lead|researcher"):
        return (
            f"an allow row is for the role 'researcher' or 'lead', not {row.role!r}; grant the person that role instead"
        )
    if any(name in DUTY_DATA for name in row.data.split("|")):
        return f"an allow row names data such as 'data:hiv' or 'any', not {row.data!r}"
    return None


class RowReader:
    """Turns database rows into policy rows, checked and with each repeated text kept once; not thread-safe."""

    def __init__(self, *, standing: bool = False) -> None:
        self._columns = _columns()
        self._standing = standing

    def read(self, values: Iterable[tuple[str, ...]]) -> Iterator[Row]:
        """Yields a Row for each tuple in the order of COLUMNS; raises ValueError at the first that is wrong.

        Written for 200,000 rows a second: a value that was found right before costs one look into a dictionary.
        """
        _, efts, roles, projects, data, acts, purposes, regions, starts, untils, courses, agreements = self._columns
        is_id, plain, new = re.compile(_ID).fullmatch, not self._standing, tuple.__new__
        for i, e, r, p, d, a, u, g, s, t, c, n in values:
            if is_id(i) is None:
                raise ValueError(self._columns[0].error(i))
            row = new(Row, (
                i, efts[e], roles[r], projects[p], data[d], acts[a],
                purposes[u], regions[g], starts[s], untils[t], courses[c], agreements[n],
            ))  # fmt: skip
            usual = plain and e == "allow" and a == MOUNT and r == "researcher" and s <= t and "|" not in d
            if not (usual and (d == ANY or d.startswith("data:"))) and (error := _together(row, standing=not plain)):
                raise ValueError(f"{i}: {error}")
            yield row

    def errors(self, values: Mapping[str, Any]) -> Iterator[str]:
        """Every error of one row, as sentences without line or id."""
        unknown = sorted(set(values) - set(COLUMNS))
        if unknown:
            yield f"there is no column {unknown[0]!r}; the columns are {', '.join(COLUMNS)}"
        whole = True
        row = {**OPTIONAL, **{name: value for name, value in values.items() if value is not None}}
        for name, column in zip(COLUMNS, self._columns, strict=True):
            value = row.get(name)
            if isinstance(value, date):
                value = row[name] = value.isoformat()
            error = f"column {name!r} is missing" if name not in row else column.error(value)
            if error:
                whole = False
                yield error
        if whole and (error := _together(to_row(row), standing=self._standing)):
            yield error


def to_row(values: Mapping[str, Any]) -> Row:
    """A row from named values that were found right; days may be dates."""
    filled = {**OPTIONAL, **{name: value for name, value in values.items() if value is not None}}
    return Row(**{name: sys.intern(str(filled[name])) for name in COLUMNS})


def check_rows(
    rows: Iterable[Mapping[str, Any]], *, first_line: int = 1, standing: bool = False, taken: Iterable[str] = ()
) -> list[str]:
    """Errors of rows for `policy_rows` (there allow rows may only mount), such as
    `line 2: AGR-1: effect 'Deny' must be 'allow' or 'deny'`; empty when all are right.

    Keys are COLUMNS; `training` and `agreement` (or `agreement_id`) may be left out. `taken` are ids already in use.
    """
    return _check(((first_line + at, row) for at, row in enumerate(rows)), standing=standing, taken=taken)


def _check(rows: Iterable[tuple[int, Mapping[str, Any]]], *, standing: bool, taken: Iterable[str]) -> list[str]:
    reader = RowReader(standing=standing)
    errors: list[str] = []
    lines: dict[str, int] = {}
    used = set(taken)
    for line, values in rows:
        row = dict(values)
        if "agreement_id" in row:
            row["agreement"] = row.pop("agreement_id")
        row_id = str(row.get("id") or "(no id)")
        place = f"line {line}: {row_id}"
        errors += [f"{place}: {error}" for error in reader.errors(row)]
        if row_id in lines:
            errors.append(f"{place}: line {lines[row_id]} has the same id; give each row its own")
        elif row_id in used:
            errors.append(
                f"{place}: a row of that id is already in force; remove it in the same change or take another id"
            )
        lines.setdefault(row_id, line)
    return errors


def read_policy(text: str, *, standing: bool = False) -> tuple[list[dict[str, str]], list[str]]:
    """Reads CSV with a header of COLUMNS (training and agreement may be left out): (rows, errors); one is empty."""
    reader = csv.reader(io.StringIO(text), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    errors: list[str] = []
    try:
        header = next(reader, [])
        missing = [name for name in COLUMNS if name not in header and name not in OPTIONAL]
        unknown = [name for name in header if name not in COLUMNS]
        if missing or unknown or len(set(header)) != len(header):
            wrong = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(map(repr, unknown or header))}"
            return [], [f"line 1: the header {wrong}; it must be {','.join(COLUMNS)}"]
        for values in reader:
            if len(values) != len(header):
                errors.append(
                    f"line {reader.line_num}: {values[0] if values else '(no id)'}: {len(values)} values for "
                    f"{len(header)} columns; write one a column, without blank lines or comments"
                )
                continue
            rows.append((reader.line_num, dict(zip(header, values, strict=True))))
    except csv.Error as error:
        errors.append(f"line {reader.line_num}: this is not CSV: {error}")
    errors += _check(rows, standing=standing, taken=())
    return ([] if errors else [row for _, row in rows]), errors
