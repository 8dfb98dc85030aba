"""Reads the file that declares a rendition, strictly: a key that is not known is a fault, not a comment.

docs/reference/renditions.md describes every key. All faults of a file are reported together, each with its place.
"""

from __future__ import annotations

import tomllib
from typing import Any

from access_control.errors import Invalid
from access_control.generalise import Clip, Edges, First, Groups, Keep, PostcodeArea, Round, Rule, Truncate, Width
from access_control.ingest import SLUG
from access_control.pseudonyms import Pseudonym
from access_control.rendition_spec import (
    Check,
    ColumnSpec,
    Faults,
    RenditionSpec,
    RowFilter,
    Suppression,
    Uniqueness,
    is_number,
    near,
)

_LONGEST = 256 * 1024  # a name of many parts takes a reader of TOML the square of its length
_TOP = {"rendition", "title", "description", "tier", "others", "unit", "columns", "rows", "suppress", "checks",
        "uniqueness"}  # fmt: skip
_TREATMENTS = ("bands", "round", "clip", "truncate", "first", "area", "groups", "pseudonym")
_CONDITIONS = ("equals", "at_least", "at_most", "above", "below", "one_of", "none_of", "present")


def _rule(place: str, key: str, value: Any, options: dict[str, Any], *, domain: str, faults: Faults) -> Rule | None:
    """The rule of one treatment, taking what belongs to it out of `options`; None when a fault was noted."""
    positive = is_number(value) and value > 0
    if key == "bands" and positive:
        top = options.pop("top", None)
        if top is None or is_number(top):
            return Width(value, top)
        faults.add(f"{place}.top", f"{top!r} is no number.")
    elif key == "bands" and isinstance(value, list) and value and all(is_number(v) for v in value):
        if sorted(set(value)) == value:
            return Edges(tuple(value))
        faults.add(f"{place}.bands", "the edges must rise, such as [18, 30, 45].")
    elif key == "bands":
        faults.add(f"{place}.bands", f"{value!r} is neither a width above 0 nor a list of edges such as [18, 30, 45].")
    elif key == "round":
        if positive:
            return Round(value)
        faults.add(f"{place}.round", f"{value!r} is no number above 0.")
    elif key == "clip":
        if isinstance(value, dict) and value and set(value) <= {"low", "high"} and all(map(is_number, value.values())):
            return Clip(value.get("low"), value.get("high"))
        faults.add(f"{place}.clip", "write { low = 0, high = 80 }, or one of the two.")
    elif key == "truncate":
        if value in ("year", "quarter", "month"):
            return Truncate(value)
        faults.add(f"{place}.truncate", f"{value!r} is none of 'year', 'quarter' and 'month'.")
    elif key == "first":
        if isinstance(value, int) and positive:
            return First(value)
        faults.add(f"{place}.first", f"{value!r} is no whole number above 0.")
    elif key == "area":
        if value == "uk-postcode":
            return PostcodeArea()
        faults.add(f"{place}.area", f"{value!r} is not known; write 'uk-postcode', or use `first` for other codes.")
    elif key == "groups":
        other = options.pop("other", "other")
        if isinstance(value, dict) and value and all(isinstance(v, list) for v in value.values()):
            members = [(member, name) for name, listed in value.items() for member in listed]
            # A list or table in a group is no value of a column, and none that could be looked up.
            labels = {member: name for member, name in members if not isinstance(member, (list, dict))}
            if len(labels) == sum(map(len, value.values())) and isinstance(other, str):
                return Groups(labels, other)
            faults.add(f"{place}.groups", "a value stands in two groups, or `other` is no text.")
        else:
            faults.add(f"{place}.groups", 'write { north = ["a", "b"], south = ["c"] }.')
    elif key == "pseudonym":
        domain = options.pop("domain", domain)
        if value in ("project", "everyone") and isinstance(domain, str) and domain:
            return Pseudonym(value == "project", domain)
        faults.add(f"{place}.pseudonym", f"{value!r} is neither 'project' (keyed by project) nor 'everyone'.")
    return None


def _column(dataset_id: str, source: str, value: Any, faults: Faults) -> ColumnSpec | None:
    place = f"columns.{source}"
    if value == "keep":
        return ColumnSpec(source, source, Keep())
    if not isinstance(value, dict):
        faults.add(place, f'{value!r} is neither "keep", "drop" nor a treatment such as {{ bands = 10 }}.')
        return None
    options = dict(value)
    name, description = options.pop("as", source), options.pop("description", None)
    chosen = [key for key in _TREATMENTS if key in options]
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        faults.add(f"{place}.as", f"{name!r} cannot be the name of a column.")
    if description is not None and not isinstance(description, str):
        faults.add(f"{place}.description", "must be text in quotation marks.")
    if len(chosen) > 1:
        faults.add(place, f"has {' and '.join(chosen)}; a column takes one treatment.")
        return None
    rule: Rule | None = Keep()
    if chosen:
        rule = _rule(place, chosen[0], options.pop(chosen[0]), options, domain=f"{dataset_id}.{source}", faults=faults)
    for left in sorted(options) if rule is not None else []:
        faults.add(f"{place}.{left}", f"is not known here; treatments are {', '.join(_TREATMENTS)}.")
    return ColumnSpec(source, name, rule, description) if rule is not None else None


def _filters(rows: Any, faults: Faults) -> list[RowFilter]:
    result = []
    for number, row in enumerate(rows if isinstance(rows, list) else [rows], start=1):
        place = f"rows[{number}]"
        conditions = sorted(set(row) - {"column"}) if isinstance(row, dict) else []
        if not isinstance(row, dict) or not isinstance(row.get("column"), str) or not conditions:
            faults.add(place, 'write [[rows]] with column = "age" and a condition such as at_least = 18.')
            continue
        for key in conditions:
            value = row[key]
            if key not in _CONDITIONS:
                faults.add(f"{place}.{key}", f"is no condition; conditions are {', '.join(_CONDITIONS)}.")
            elif key in {"one_of", "none_of"} and (not isinstance(value, list) or not value):
                faults.add(f"{place}.{key}", "must be a list with at least one value.")
            elif key == "present" and not isinstance(value, bool):
                faults.add(f"{place}.present", "must be true or false.")
            else:
                result.append(RowFilter(row["column"], key, value))
    return result


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


def _suppression(value: Any, faults: Faults) -> Suppression | None:
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) - {"together", "below", "how"}:
        faults.add("suppress", 'has together = ["age", "sex"], below = 10, how = "rows" or "values", no more.')
        return None
    together, below, how = value.get("together"), value.get("below"), value.get("how", "rows")
    if not _names(together) or not together:
        faults.add("suppress.together", "must be a list of different column names.")
    if not isinstance(below, int) or isinstance(below, bool) or below < 2:
        faults.add("suppress.below", "must be a whole number of at least 2.")
    if how not in ("rows", "values"):
        faults.add("suppress.how", f"{how!r} is neither 'rows' (left out) nor 'values' (made missing).")
    return None if faults.lines else Suppression(tuple(together or ()), below or 0, how)


def _checks(value: Any, faults: Faults) -> tuple[list[Check], int]:
    if not isinstance(value, dict):
        faults.add("checks", "is a table: [checks] rows_at_least = 100, [checks.age] minimum = 0.")
        return [], 1
    rows_at_least = value.get("rows_at_least", 1)
    if not isinstance(rows_at_least, int) or isinstance(rows_at_least, bool) or rows_at_least < 1:
        faults.add("checks.rows_at_least", "must be a whole number of at least 1.")
        rows_at_least = 1
    number = (int, float)
    kinds: dict[str, Any] = {
        "type": str, "minimum": number, "maximum": number, "missing_at_most": number, "unique": bool, "one_of": list,
    }  # fmt: skip
    checks = []
    for name, table in value.items():
        if name == "rows_at_least":
            continue
        if not isinstance(table, dict):
            faults.add(f"checks.{name}", f"is a table of its own: [checks.{name}].")
            continue
        for key, item in table.items():
            if key not in kinds:
                faults.add(f"checks.{name}.{key}", f"is no check; checks are {', '.join(kinds)}.")
            elif not isinstance(item, kinds[key]) or (isinstance(item, bool) and key != "unique"):
                faults.add(f"checks.{name}.{key}", f"{item!r} is of the wrong kind.")
        if not any(line.startswith(f"checks.{name}.") for line in faults.lines):
            one_of = table.get("one_of")
            checks.append(Check(**{**table, "column": name, "one_of": tuple(one_of) if one_of is not None else None}))
    return checks, rows_at_least


def _uniqueness(value: Any, faults: Faults) -> Uniqueness | None:
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) - {"quasi_identifiers", "smallest_group"}:
        faults.add("uniqueness", "has quasi_identifiers and, where wanted, smallest_group, nothing else.")
        return None
    names, smallest = value.get("quasi_identifiers"), value.get("smallest_group")
    if not _names(names):
        faults.add("uniqueness.quasi_identifiers", "must be a list of different column names (it may be empty).")
    if smallest is not None and (not isinstance(smallest, int) or isinstance(smallest, bool) or smallest < 1):
        faults.add("uniqueness.smallest_group", "must be a whole number of at least 1.")
    return None if faults.lines else Uniqueness(tuple(names or ()), smallest)


def parse(text: str, file: str = "The rendition") -> RenditionSpec:
    """Reads a rendition file; raises Invalid with every fault and its place. `file` is what it is called in errors."""
    if len(text) > _LONGEST:
        raise Invalid(f"{file} has {len(text)} characters; a rendition is declared in {_LONGEST} at most.")
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(f"{file} is no TOML: {error}. Nothing was changed.") from error
    faults = Faults()
    for key in sorted(set(values) - _TOP):
        faults.add(key, f"is not known; {near(key, sorted(_TOP)).replace('the columns are', 'known are')}")
    dataset_id, _, name = str(values.get("rendition", "")).partition("/")
    if not SLUG.fullmatch(dataset_id) or not SLUG.fullmatch(name):
        faults.add("rendition", "must be '<dataset>/<name>', such as 'hiv/pseudonymised'.")
    title, description, tier = values.get("title", ""), values.get("description", ""), values.get("tier")
    if not isinstance(title, str) or not title or not isinstance(description, str):
        faults.add("title", "must be text, and the description too.")
    if not isinstance(tier, int) or isinstance(tier, bool) or not 0 <= tier <= 4:
        faults.add("tier", "must be a whole number from 0 (open) to 4 (highly restricted).")
    others = values.get("others", "drop")
    if others not in ("keep", "drop"):
        faults.add("others", f"{others!r} is neither 'keep' nor 'drop', for the columns that are not named.")
    unit = values.get("unit", "")
    if not isinstance(unit, str):
        faults.add("unit", "must be the name of the column that tells whose row it is.")
        unit = ""
    columns = values.get("columns", {})
    if not isinstance(columns, dict) or (not columns and others != "keep"):
        faults.add("columns", 'names no column; write age = "keep", age = "drop" or age = { bands = 10 }.')
        columns = {}
    specs = [_column(dataset_id, source, value, faults) for source, value in columns.items() if value != "drop"]
    filters = _filters(values.get("rows", []), faults)
    suppress = _suppression(values.get("suppress"), faults)
    checks, rows_at_least = _checks(values.get("checks", {}), faults)
    uniqueness = _uniqueness(values.get("uniqueness"), faults)
    faults.stop(file)
    return RenditionSpec(
        dataset_id, name, title, description, tier or 0, others == "keep", tuple(spec for spec in specs if spec),
        frozenset(source for source, value in columns.items() if value == "drop"), tuple(filters), suppress,
        tuple(checks), rows_at_least, uniqueness, unit,
    )  # fmt: skip
