"""A policy with any error is refused whole, and every error has its line, its row and its remedy."""

from __future__ import annotations

from datetime import date

import pytest

from access_control.rows import Row
from access_control.validation import COLUMNS, check_rows, read_policy, to_row

HEADER = "id,eft,role,project,data,act,purpose,region,start,until,training"
GOOD = "AGR-1,allow,researcher,project:p17,data:hiv/pseudonymised,mount,cancer|quality,EU|UK,2026-01-01,2026-12-31,any"
DENY = "WDR-7,deny,anyone,any,data:hiv,any,any,any,2026-06-01,9999-12-31,any"


def errors_of(*lines: str) -> list[str]:
    rows, errors = read_policy("\n".join([HEADER, *lines]) + "\n")
    assert not (rows and errors)
    return errors


def test_a_good_policy_is_read() -> None:
    rows, errors = read_policy(f"{HEADER}\n{GOOD}\n{DENY}\n")
    assert errors == []
    assert [to_row(row) for row in rows] == [
        Row(*GOOD.split(","), "none"),
        Row(*DENY.split(","), "none"),
    ]


def test_training_and_agreement_may_be_left_out() -> None:
    short = ",".join(HEADER.split(",")[:-1])
    rows, errors = read_policy(f"{short}\n{GOOD.removesuffix(',any')}\n")
    assert errors == []
    assert to_row(rows[0]).training == "any"
    assert to_row(rows[0]).agreement == "none"


def changed(column: str, value: str, line: str = GOOD) -> str:
    values = line.split(",")
    values[COLUMNS.index(column)] = value
    return ",".join(values)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (changed("eft", "Deny"), "effect 'Deny' must be 'allow' or 'deny'"),
        (changed("eft", "ALLOW"), "effect 'ALLOW' must be 'allow' or 'deny'"),
        (changed("eft", ""), "effect is blank; it must be 'allow' or 'deny'"),
        (changed("eft", " allow"), "effect ' allow' must be 'allow' or 'deny'"),
        (changed("role", "reseacher"), "role 'reseacher' must be one of researcher, lead, steward"),
        (changed("role", "any"), "role 'any' must be one of"),
        (changed("role", ""), "role is blank"),
        (changed("project", "*"), "project '*' must be 'any' or names such as 'project:p17'"),
        (changed("project", "project:p17 "), "project 'project:p17 ' must be"),
        (changed("project", "project:p17|"), "project 'project:p17|' must be"),
        (changed("project", "project:p17|any"), "mixes 'any' with alternatives"),
        (changed("project", ""), "project is blank (write 'any' where everything is meant)"),
        (changed("data", "data:hiv/*"), "data 'data:hiv/*' must be"),
        (changed("data", "hiv"), "data 'hiv' must be"),
        (changed("data", "data:hiv/a/b"), "data 'data:hiv/a/b' must be"),
        (changed("data", "data:HIV"), "data 'data:HIV' must be"),
        (changed("act", "Mount"), "act 'Mount' must be"),
        (changed("act", "any"), "may only have the act 'mount', not 'any'"),
        (changed("act", "administer"), "may only have the act 'mount', not 'administer'"),
        (changed("role", "admin"), "is for the role 'researcher' or 'lead', not 'admin'"),
        (changed("purpose", ""), "purpose is blank"),
        (changed("purpose", "True) or (True"), "purpose 'True) or (True' must be"),
        (changed("region", "E U"), "region 'E U' must be"),
        (changed("region", "any|EU"), "mixes 'any' with alternatives"),
        (changed("start", "2026-1-1"), "start '2026-1-1' must be a day such as '2026-01-31'"),
        (changed("start", "2026-02-30"), "start '2026-02-30' is no day of the calendar"),
        (changed("until", "any"), "until 'any' must be a day"),
        (changed("until", "2025-12-31"), "it ends on 2025-12-31, before it starts on 2026-01-01"),
        (changed("training", ""), "training is blank"),
        (changed("id", "AGR 1"), "id 'AGR 1' must be letters, digits"),
        (changed("id", ""), "id is blank"),
        (changed("training", "gdpr", DENY), "a deny row asks for no training"),
        ("P" + GOOD, None),
        ("# a comment", "1 values for 11 columns"),
        (GOOD + ",more", "12 values for 11 columns"),
        (GOOD.rsplit(",", 2)[0], "9 values for 11 columns"),
        ("", "0 values for 11 columns"),
        ('"' + GOOD, "this is not CSV"),
    ],
)
def test_each_kind_of_error(line: str, error: str | None) -> None:
    errors = errors_of(DENY.replace("WDR-7", "WDR-0"), line)
    if error is None:
        assert errors == []
    else:
        assert len(errors) == 1
        assert errors[0].startswith("line 3: ")
        assert error in errors[0]


def test_the_sentence_has_line_row_and_remedy() -> None:
    assert errors_of(changed("eft", "Deny")) == ["line 2: AGR-1: effect 'Deny' must be 'allow' or 'deny'"]


def test_every_error_is_listed() -> None:
    errors = errors_of(changed("eft", "Deny"), DENY, changed("region", "", changed("act", "read")))
    assert [error.split(": ")[0] for error in errors] == ["line 2", "line 4", "line 4", "line 4"]
    assert errors[-1] == "line 4: AGR-1: line 2 has the same id; give each row its own"


@pytest.mark.parametrize(
    "header",
    ["", "p,id,eft", HEADER.replace("eft", "effect"), HEADER + ",extra", HEADER + ",id", HEADER.replace(",until", "")],
)
def test_the_header_must_be_the_columns(header: str) -> None:
    rows, errors = read_policy(f"{header}\n{GOOD}\n")
    assert rows == []
    assert len(errors) == 1
    assert errors[0].startswith("line 1: the header")


def test_rows_of_a_proposal_are_checked_too() -> None:
    row = {
        "id": "AGR-2", "eft": "allow", "role": "researcher|lead", "project": "project:p17", "data": "any", "act": "mount",
        "purpose": "any", "region": "any", "start": date(2026, 1, 1), "until": "2026-12-31", "agreement_id": None,
    }  # fmt: skip
    assert check_rows([row]) == []
    assert to_row({**row, "agreement": None}).start == "2026-01-01"
    assert check_rows([row], taken=["AGR-2"]) == [
        "line 1: AGR-2: a row of that id is already in force; remove it in the same change or take another id"
    ]
    assert check_rows([{**row, "until": None}], first_line=5) == ["line 5: AGR-2: column 'until' is missing"]
    assert check_rows([{**row, "tier": 1}])[0].startswith("line 1: AGR-2: there is no column 'tier'")
    assert check_rows([{**row, "region": 7}]) == ["line 1: AGR-2: region 7 must be text"]
    assert check_rows([{}])[0] == "line 1: (no id): column 'id' is missing"
