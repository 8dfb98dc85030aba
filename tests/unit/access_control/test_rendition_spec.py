import pytest

from access_control.errors import Invalid
from access_control.rendition_parser import parse
from access_control.rendition_spec import check_against, declared_columns

DICTIONARY = [
    {"name": "id", "type": "integer", "description": "Person"},
    {"name": "age", "type": "integer", "description": "Age in years"},
    {"name": "town", "type": "string", "description": ""},
    {"name": "born", "type": "date", "description": ""},
]
HEAD = 'rendition = "people/open"\ntitle = "Open"\ntier = 3\n'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[columns]\naeg = "keep"', "columns.aeg: the dataset has no such column; did you mean 'age'"),
        ('[columns]\nzzz = "drop"\nage = "keep"', "columns.zzz: the dataset has no such column; the columns are"),
        (
            "[columns]\ntown = { bands = 10 }",
            "columns.town: this treatment is for integer or number; the column is string",
        ),
        ("[columns]\nage = { first = 2 }", "columns.age: this treatment is for string"),
        ("[columns]\nage = { truncate = 'month' }", "columns.age: this treatment is for date or datetime"),
        ('[columns]\nage = "keep"\n[[rows]]\ncolumn = "aeg"\nat_least = 1', r"rows\[1\].column: .* did you mean 'age'"),
        (
            '[columns]\nage = "keep"\n[[rows]]\ncolumn = "age"\nat_least = "x"',
            r"rows\[1\].at_least: 'x' cannot be compared",
        ),
        ('[columns]\nage = "keep"\n[[rows]]\ncolumn = "town"\none_of = [1]', r"rows\[1\].one_of"),
        ('[columns]\nage = "keep"\n[[rows]]\ncolumn = "born"\nabove = 2000', r"rows\[1\].above"),
        ('[columns]\nage = "keep"\ntown = { as = "age" }', "two columns of the rendition would be called 'age'"),
        ('others = "keep"\n[columns]\nid = "drop"\nage = "drop"\ntown = "drop"\nborn = "drop"', "no column is left"),
        (
            '[columns]\nage = { as = "years" }\n[checks.age]\nminimum = 0',
            "checks.age: the rendition has no column 'age'",
        ),
        (
            '[columns]\nage = "keep"\n[suppress]\ntogether = ["town"]\nbelow = 5',
            "suppress.together: the rendition has no",
        ),
        ('[columns]\nage = "keep"\n[uniqueness]\nquasi_identifiers = ["x"]', "uniqueness.quasi_identifiers"),
    ],
)
def test_what_the_dataset_cannot_give_is_named_with_its_place(text: str, place: str) -> None:
    with pytest.raises(Invalid, match=place):
        check_against(parse(HEAD + text), DICTIONARY, 3, "mine.toml")


@pytest.mark.parametrize(
    ("tier", "uniqueness", "fault"),
    [
        (3, "", None),
        (4, "", "above the tier 3"),
        (2, "", "must declare its quasi_identifiers"),
        (2, "[uniqueness]\nquasi_identifiers = []", None),
    ],
)
def test_a_lower_tier_needs_a_report_and_a_higher_one_is_refused(tier: int, uniqueness: str, fault: str | None) -> None:
    spec = parse(HEAD.replace("tier = 3", f"tier = {tier}") + f'[columns]\nage = "keep"\n{uniqueness}')
    if fault is None:
        check_against(spec, DICTIONARY, 3, "mine.toml")
    else:
        with pytest.raises(Invalid, match=fault):
            check_against(spec, DICTIONARY, 3, "mine.toml")


def test_the_dictionary_follows_from_the_declaration() -> None:
    spec = parse(
        HEAD
        + 'others = "keep"\n[columns]\nage = { bands = 10, as = "band" }\nborn = { truncate = "year" }\nid = "drop"'
    )
    assert declared_columns(spec, DICTIONARY) == [
        {"name": "band", "type": "string", "description": "Age in years", "treatment": "in bands of 10"},
        {"name": "town", "type": "string", "description": ""},
        {"name": "born", "type": "integer", "description": "", "treatment": "the year only"},
    ]


def test_the_unit_is_marked_in_the_dictionary_and_has_to_be_there() -> None:
    text = 'rendition = "people/open"\ntitle = "T"\ntier = 3\nunit = "{unit}"\n[columns]\nage = {{ bands = 10, as = "band" }}\nsex = "keep"\n'
    columns = [
        {"name": name, "type": kind, "description": ""} for name, kind in (("age", "integer"), ("sex", "string"))
    ]
    spec = parse(text.format(unit="band"))
    check_against(spec, columns, 3, "open.toml")
    assert [row.get("unit") for row in declared_columns(spec, columns)] == ["yes", None]
    with pytest.raises(Invalid, match="unit: the rendition has no column 'age'"):
        check_against(parse(text.format(unit="age")), columns, 3, "open.toml")


def test_a_column_that_a_later_version_brings_does_not_slip_in() -> None:
    spec = parse(HEAD + '[columns]\nage = "keep"')
    later = [*DICTIONARY, {"name": "diagnosis", "type": "string", "description": ""}]
    assert [column["name"] for column in declared_columns(spec, later)] == ["age"]
