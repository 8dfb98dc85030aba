import json
from datetime import date

import pytest
from data_world import KEYED, OPEN, DataWorld, data_world  # noqa: F401 - a fixture

from access_control import catalogue
from access_control.database import reading
from access_control.errors import NotFound


def build(data: DataWorld) -> None:
    data.add(
        column_descriptions={"age": "Age in years"},
        licence="CC0",
        citation="Doe 2020",
        description="A survey.",
        permitted_use=["DUO:0000006"],
        embargo_until=date(2030, 1, 1),
    )
    data.publish(OPEN)
    data.publish(KEYED)


def test_an_entry_tells_all_but_data(data: DataWorld) -> None:
    build(data)
    with reading(data.engine) as db:
        [entry] = catalogue.list_datasets(db)
        assert catalogue.describe(db, "people") == entry
    assert (entry.title, entry.owner, entry.tier, entry.version) == ("People", "Acme", 3, 1)
    assert [(c.name, c.type, c.description) for c in entry.columns][1] == ("age", "integer", "Age in years")
    assert entry.rows_about == "fewer than 1,000"
    for secret in ("Aa", "Bo", "240"):
        assert secret not in repr(entry)


def test_renditions_show_what_they_do_to_columns_even_before_a_project_has_them(data: DataWorld) -> None:
    build(data)
    with reading(data.engine) as db:
        entry = catalogue.describe(db, "people")
    keyed, opened = entry.renditions
    assert (opened.id, opened.tier, opened.version, opened.per_project) == ("people/open", 1, 1, False)
    assert [(c.name, c.treatment) for c in opened.columns] == [("age", "in bands of 10"), ("sex", "")]
    assert (keyed.version, keyed.per_project) == (None, True)
    assert "of this project alone" in keyed.columns[0].treatment


def test_dcat_names_owner_rights_and_renditions_and_no_download(data: DataWorld) -> None:
    build(data)
    with reading(data.engine) as db:
        value = catalogue.dcat(db, "https://x.example/catalogue")
    json.dumps(value)
    [dataset] = value["dcat:dataset"]
    assert value["@type"] == "dcat:Catalog"
    assert dataset["@id"] == "https://x.example/catalogue/people"
    assert dataset["dct:publisher"]["foaf:name"] == "Acme"
    assert dataset["dct:accessRights"]["dct:description"] == "restricted"
    assert dataset["dct:available"] == "2030-01-01"
    assert len(dataset["dcat:distribution"]) == 2
    assert "downloadURL" not in json.dumps(value)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (1, "fewer than 1,000"),
        (999, "fewer than 1,000"),
        (4820, "about 4,800"),
        (48_445, "about 48,000"),
        (10_000_000, "about 10,000,000"),
    ],
)
def test_numbers_of_rows_are_rounded(rows: int, words: str) -> None:
    assert catalogue._about(rows) == words


def test_what_is_not_there(data: DataWorld) -> None:
    with pytest.raises(NotFound, match="no dataset 'none'"), reading(data.engine) as db:
        catalogue.describe(db, "none")


def test_each_tier_has_its_word() -> None:
    assert len({catalogue.access_words(tier) for tier in range(5)}) == 5
