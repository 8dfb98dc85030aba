"""The model is the one that is listed, or the enclave does not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from access_control.conditions import CONDITIONS, MODEL, check_model, load_model, parse
from access_control.errors import Refused
from access_control.facts import FUNCTIONS

TEXT = MODEL.read_text()
PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "how-access-is-decided.md"


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "model.conf"
    path.write_text(text)
    with pytest.raises(Refused) as error:
        load_model(path)
    return str(error.value)


def test_the_shipped_model_is_the_listed_one() -> None:
    check_model(load_model())


@pytest.mark.parametrize("at", range(len(CONDITIONS)), ids=lambda at: CONDITIONS[at].expression)
def test_each_condition_is_missed_when_it_is_dropped_or_negated(at: int, tmp_path: Path) -> None:
    expression = CONDITIONS[at].expression
    assert TEXT.count(expression) == 1
    for other in ("r.today == r.today", f"!({expression})", f"({expression} || r.user.suspended)"):
        message = refused(tmp_path, TEXT.replace(expression, other))
        assert "model.conf has" in message
        assert "restore it" in message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("&& p.start <= r.today", "# a comment \\\n && p.start <= r.today"),
        (" && p.start <= r.today", " \\\n# a comment\n && p.start <= r.today"),
        ("&& g(r.user.id, p.role, r.domain) \\\n", ""),
        ('p.eft == "deny" || (', 'p.eft == "deny" || r.user.suspended || ('),
        ('p.eft == "deny"', 'p.eft == "allow"'),
        ('p.eft == "deny"', 'p.eft != "allow"'),
        ("&& !some(where (p.eft == deny))", ""),
        ("some(where (p.eft == allow)) && !some(where (p.eft == deny))", "!some(where (p.eft == deny))"),
        ("p = id, eft,", "p = id, effect,"),
        (", training, agreement", ", training"),
        ("r = user, project, data", "r = user, data, project"),
        ("g = _, _, _", "g = _, _"),
        ("g = _, _, _", "g = _, _, _\ng2 = _, _"),
        ("[matchers]\n", "[matchers]\nm2 = r.act == p.act\n"),
        ("independent(r.user, r.data)))", "independent(r.user, r.data) && true))"),
        ("names(p.project, r.project.names)", "eval(p.project)"),
        ("names(p.project, r.project.names)", "r.project.__class__"),
        ("names(p.project, r.project.names)", "r.project.names.count(p.project)"),
        ("names(p.project, r.project.names)", "p.project in r.project.names"),
        ("names(p.project, r.project.names)", "(lambda: 1)()"),
        ("[matchers]", "[matcher]"),
        ("m = names", "m = = names"),
        (TEXT, ""),
        (TEXT, "nonsense"),
    ],
)
def test_any_other_change_is_refused_too(old: str, new: str, tmp_path: Path) -> None:
    assert old in TEXT
    assert "model.conf" in refused(tmp_path, TEXT.replace(old, new, 1))


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        load_model(tmp_path / "none.conf")


def test_blanks_and_line_ends_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "model.conf"
    path.write_text(TEXT.replace(" && lists(p.act", "  &&  lists(p.act").replace("; ", ";"))
    load_model(path)


def test_every_condition_has_sentences_and_every_function_is_used() -> None:
    whole = " ".join(one.expression for one in CONDITIONS)
    assert all(one.meaning.endswith(".") for one in CONDITIONS)
    assert len({one.expression for one in CONDITIONS}) == len(CONDITIONS)
    assert [name for name in FUNCTIONS if f"{name}(" not in whole] == []


def test_conditions_of_every_row_come_before_the_safeguards() -> None:
    kinds = [one.safeguard for one in CONDITIONS]
    assert kinds == sorted(kinds)


@pytest.mark.parametrize(
    "text", ["p.id = 1", "import os", "a if b else c", "[x for x in y]", "f'{p.id}'", "a[0]", "a.b()"]
)
def test_only_plain_conditions_are_parsed(text: str) -> None:
    with pytest.raises(Refused):
        parse(text)


def test_the_page_has_every_condition() -> None:
    table = [line for line in PAGE.read_text().splitlines() if line.startswith("| `") and line.count("|") == 4]
    assert table == [
        f"| `{one.expression}` | {'safeguard' if one.safeguard else 'row'} | {one.meaning} |" for one in CONDITIONS
    ]
