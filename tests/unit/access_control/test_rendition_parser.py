import pytest

from access_control.errors import Invalid
from access_control.generalise import Clip, Edges, Groups, Keep, Width
from access_control.pseudonyms import Pseudonym
from access_control.rendition_parser import parse
from access_control.rendition_spec import Check, RowFilter, Suppression, Uniqueness

HEAD = 'rendition = "hiv/open"\ntitle = "Open"\ntier = 1\n'
WHOLE = (
    HEAD
    + """
description = "All of it"
others = "keep"

[columns]
age = { bands = 10, top = 80 }
income = { bands = [10, 20] }
name = "drop"
person = { pseudonym = "project", domain = "nhs", as = "who", description = "Whoever" }
visits = { clip = { high = 8 } }
town = { groups = { north = ["Aa"] }, other = "elsewhere" }

[[rows]]
column = "age"
at_least = 18
below = 90

[suppress]
together = ["age", "town"]
below = 10
how = "values"

[checks]
rows_at_least = 100

[checks.age]
type = "string"
missing_at_most = 0.5

[uniqueness]
quasi_identifiers = ["age", "town"]
smallest_group = 5
"""
)


def test_a_whole_declaration() -> None:
    spec = parse(WHOLE)
    assert (spec.id, spec.tier, spec.keep_others, spec.per_project) == ("hiv/open", 1, True, True)
    assert {column.source: column.rule for column in spec.columns} == {
        "age": Width(10, 80),
        "income": Edges((10, 20)),
        "person": Pseudonym(per_project=True, domain="nhs"),
        "visits": Clip(None, 8),
        "town": Groups({"Aa": "north"}, "elsewhere"),
    }
    assert spec.dropped == {"name"}
    assert [(c.name, c.description) for c in spec.columns if c.source == "person"] == [("who", "Whoever")]
    assert spec.rows == (RowFilter("age", "at_least", 18), RowFilter("age", "below", 90))
    assert spec.suppress == Suppression(("age", "town"), 10, "values")
    assert spec.checks == (Check("age", type="string", missing_at_most=0.5),)
    assert spec.rows_at_least == 100
    assert spec.uniqueness == Uniqueness(("age", "town"), 5)


def test_what_is_not_named_is_dropped() -> None:
    spec = parse(HEAD + '[columns]\nage = "keep"\n')
    assert not spec.keep_others
    assert [column.rule for column in spec.columns] == [Keep()]
    assert not spec.per_project


def test_the_domain_of_a_pseudonym_is_the_column_unless_said() -> None:
    [column] = parse(HEAD + '[columns]\nid = { pseudonym = "project" }\n').columns
    assert column.rule == Pseudonym(per_project=True, domain="hiv.id")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("rendition = ", "is no TOML"),
        (HEAD + 'colums = 1\n[columns]\na = "keep"', "colums: is not known; did you mean 'columns'"),
        ('rendition = "hiv"\ntitle = "x"\ntier = 1\n[columns]\na = "keep"', "rendition: must be"),
        ('rendition = "hiv/../x"\ntitle = "x"\ntier = 1\n[columns]\na = "keep"', "rendition: must be"),
        ('rendition = "a/b"\ntier = 1\n[columns]\na = "keep"', "title: must be text"),
        ('rendition = "a/b"\ntitle = "x"\ntier = 5\n[columns]\na = "keep"', "tier: must be"),
        ('rendition = "a/b"\ntitle = "x"\ntier = true\n[columns]\na = "keep"', "tier: must be"),
        (HEAD + 'others = "all"\n[columns]\na = "keep"', "others: 'all'"),
        (HEAD, "columns: names no column"),
        (HEAD + "[columns]\na = 5", "columns.a: 5 is neither"),
        (HEAD + "[columns]\na = { bands = -1 }", "columns.a.bands: -1"),
        (HEAD + "[columns]\na = { bands = [3, 2] }", "columns.a.bands: the edges must rise"),
        (HEAD + "[columns]\na = { bands = 10, top = 'x' }", "columns.a.top"),
        (HEAD + "[columns]\na = { round = 0 }", "columns.a.round"),
        (HEAD + "[columns]\na = { clip = 8 }", "columns.a.clip"),
        (HEAD + "[columns]\na = { truncate = 'hour' }", "columns.a.truncate"),
        (HEAD + "[columns]\na = { first = 0 }", "columns.a.first"),
        (HEAD + "[columns]\na = { area = 'us' }", "columns.a.area"),
        (HEAD + "[columns]\na = { groups = { x = [1], y = [1] } }", "columns.a.groups: a value stands in two groups"),
        (HEAD + "[columns]\na = { pseudonym = 'none' }", "columns.a.pseudonym"),
        (HEAD + "[columns]\na = { round = 1, first = 2 }", "columns.a: has round and first"),
        (HEAD + "[columns]\na = { rond = 1 }", "columns.a.rond: is not known here"),
        (HEAD + "[columns]\na = { as = '' }", "columns.a.as"),
        (HEAD + "[columns]\na = { description = 5 }", "columns.a.description"),
        (HEAD + '[columns]\na = "keep"\n[[rows]]\ncolumn = "a"', r"rows\[1\]: write"),
        (HEAD + '[columns]\na = "keep"\n[[rows]]\ncolumn = "a"\nover = 5', r"rows\[1\].over: is no condition"),
        (HEAD + '[columns]\na = "keep"\n[[rows]]\ncolumn = "a"\none_of = 5', r"rows\[1\].one_of: must be a list"),
        (HEAD + '[columns]\na = "keep"\n[[rows]]\ncolumn = "a"\npresent = 1', r"rows\[1\].present"),
        (HEAD + '[columns]\na = "keep"\n[suppress]\ntogether = []\nbelow = 10', "suppress.together"),
        (HEAD + '[columns]\na = "keep"\n[suppress]\ntogether = ["a"]\nbelow = 1', "suppress.below"),
        (HEAD + '[columns]\na = "keep"\n[suppress]\ntogether = ["a"]\nbelow = 5\nhow = "x"', "suppress.how"),
        (HEAD + '[columns]\na = "keep"\n[suppress]\ntogether = ["a"]\nunder = 5', "suppress: has"),
        (HEAD + '[columns]\na = "keep"\n[checks.a]\nmin = 5', "checks.a.min: is no check"),
        (HEAD + '[columns]\na = "keep"\n[checks.a]\nminimum = "5"', "checks.a.minimum"),
        (HEAD + '[columns]\na = "keep"\n[checks.a]\nminimum = true', "checks.a.minimum"),
        (HEAD + '[columns]\na = "keep"\n[checks]\nrows_at_least = 0', "checks.rows_at_least"),
        (HEAD + '[columns]\na = "keep"\n[checks]\na = 5', "checks.a: is a table"),
        (HEAD + '[columns]\na = "keep"\n[uniqueness]\nquasi = []', "uniqueness: has"),
        (HEAD + '[columns]\na = "keep"\n[uniqueness]\nquasi_identifiers = ["a", "a"]', "uniqueness.quasi_identifiers"),
        (HEAD + '[columns]\na = "keep"\n[uniqueness]\nquasi_identifiers = ["a"]\nsmallest_group = 0', "smallest_group"),
    ],
)
def test_each_fault_is_named_with_its_place(text: str, place: str) -> None:
    with pytest.raises(Invalid, match=place):
        parse(text)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        parse('rendition = "x"\ntier = 9\n[columns]\na = { bands = 0 }', "mine.toml")
    assert str(caught.value).splitlines()[0] == "mine.toml is not accepted; nothing was changed."
    assert len(str(caught.value).splitlines()) == 5
