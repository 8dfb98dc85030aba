"""The file that declares a rendition (TOML), parsed and checked against a dataset."""

from __future__ import annotations

from access_control import rendition_spec
from access_control.errors import Invalid
from access_control.rendition_parser import parse
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds

_GOOD = """rendition = "hiv/pseudonymised"
title = "HIV"
description = "d"
tier = 3
others = "drop"
[columns]
id = { pseudonym = "project", domain = "hiv" }
age = { bands = 10, top = 90, as = "band" }
town = { groups = { north = ["a", "b"] }, other = "rest" }
born = { truncate = "month" }
code = { area = "uk-postcode" }
name = "drop"
[[rows]]
column = "age"
at_least = 18
[suppress]
together = ["band"]
below = 10
how = "rows"
[checks]
rows_at_least = 10
[checks.band]
type = "string"
one_of = ["a"]
[uniqueness]
quasi_identifiers = ["band"]
smallest_group = 5
"""
_BITS = ("[]", "{}", "[[]]", "1", "-1", "0.5", "nan", "inf", "true", '"keep"', '"drop"', '"x"', "2026-01-01", "10:00:00", '["a"]', '[["a"]]', "[1, 2]", "{ a = 1 }", "[columns]", "[[rows]]",
         "bands", "round", "clip", "first", "groups", "{ low = 0 }", "=", "\n", ".", '""', "'''", "99999999999999999999", "[{}]", "together", "below", "how", "others", "rendition", "[nan]")  # fmt: skip
_COLUMNS = [
    {"name": name, "type": kind, "description": ""}
    for name, kind in (
        ("id", "integer"),
        ("age", "integer"),
        ("town", "string"),
        ("born", "date"),
        ("code", "string"),
        ("name", "string"),
    )
]


def run(data: bytes) -> None:
    choices = Choices(data)
    how = choices.number(3)
    if how == 0:
        text = choices.rest().decode("utf-8", "replace")
    elif how == 1:
        depth = choices.number(3000)
        text = f"a = {'[' * depth}{']' * depth}\n" + _GOOD
    else:
        lines = _GOOD.splitlines()
        for _ in range(1 + choices.number(3)):
            at = choices.number(len(lines) - 1)
            name, _, _ = lines[at].partition("=")
            value = choices.text(_BITS)
            lines[at] = choices.pick(
                (f"{name.strip()} = {value}", f"{name.strip()} = {{ {choices.text(_BITS)} = {value} }}", value, "")
            )
        text = "\n".join(lines)
    try:
        spec = parse(text)
        rendition_spec.check_against(spec, _COLUMNS, choices.number(4), "f")
    except Invalid as error:
        str(error)
        return
    holds(0 <= spec.tier <= 4 and spec.id.count("/") == 1, "an accepted rendition has a tier and a name")
    rendition_spec.declared_columns(spec, _COLUMNS)


def start() -> list[bytes]:
    return [b"\x00" + _GOOD.encode()] + [
        bytes([how]) + bytes(range(n * 5, n * 5 + 60)) for how in (1, 2, 3) for n in range(8)
    ]


TARGET = Target(
    "renditions", "the declaration of a rendition", run, start, tuple(bit.encode() for bit in _BITS), ("tomllib",)
)
